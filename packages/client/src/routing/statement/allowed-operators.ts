/**
 * Operators of PostgreSQL, which are all functions of their operands; a test asks the servers. The words are those that
 * the grammar gives to BETWEEN; what they stand for is looked at beside them.
 */
export const allowedOperators: ReadonlySet<string> = new Set(
  `= <> < <= > >= + - * / % ^ | & # ~ << >> || !! @ |/ ||/ @@ @@@
    ~~ !~~ ~~* !~~* ~* !~ !~* ^@ ~<~ ~<=~ ~>~ ~>=~
    -> ->> #> #>> #- @> <@ ? ?| ?& @?
    && &< &> -|- <<= >>= &&
    *= *<> *< *<= *> *>=
    ## ?- ?# ?-| ?|| @-@ <-> <<| |>> &<| |&> <^ >^ ~=`.split(/\s+/),
)

/** The operators that the grammar does not name where it could: BETWEEN, and what compares values without an operator. */
export const impliedOperators: ReadonlyMap<string, readonly string[]> = new Map([
  ['BETWEEN', ['>=', '<=']],
  ['BETWEEN SYMMETRIC', ['>=', '<=']],
  ['NOT BETWEEN', ['<', '>']],
  ['NOT BETWEEN SYMMETRIC', ['<', '>']],
])
