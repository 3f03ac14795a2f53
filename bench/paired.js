// @ts-check
import { parseArgs } from 'node:util'

/** @typedef {{ readonly name: string, readonly before?: () => Promise<void>, readonly run: () => Promise<void>, readonly after?: () => Promise<void> }} Contender */
/** @typedef {{ readonly name: string, readonly ms: readonly number[] }} Timed */

/**
 * The flags of every benchmark, `--runs <number>` and `--json`, and those of this one.
 * @param {number} runs the default @param {import('node:util').ParseArgsConfig['options']} own
 * @returns {Record<string, unknown> & { readonly runs: number, readonly json: boolean }}
 */
export function flags(runs, own = {}) {
  const values = parsed({ runs: { type: 'string' }, json: { type: 'boolean' }, ...own })
  const asked = values['runs'] === undefined ? runs : Number(values['runs'])
  if (!Number.isSafeInteger(asked) || asked < 1) refuse(`--runs takes a number from 1 on, not ${values['runs']}`)
  return { ...values, runs: asked, json: values['json'] === true }
}

/** @param {import('node:util').ParseArgsConfig['options']} options @returns {Record<string, unknown>} */
function parsed(options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    // What parseArgs says goes on to explain options that begin with a minus.
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/)
    return refuse(message)
  }
}

/** Ends the benchmark with one line that says what it was asked for in vain. @param {string} why @returns {never} */
export function refuse(why) {
  process.stderr.write(`Error: ${why}\n`)
  process.exit(2)
}

/**
 * Measures every contender in turn, run by run, so that what disturbs the machine disturbs all of them. A first round warms up
 * and is not counted; the order turns from run to run. @template M @param {readonly (() => Promise<M>)[]} contenders
 * @param {number} runs @returns {Promise<readonly (readonly M[])[]>} for each contender what each run measured
 */
export async function measureInTurn(contenders, runs) {
  const measured = contenders.map(() => /** @type {M[]} */ ([]))
  for (let round = 0; round <= runs; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (round + turn) % contenders.length
      const measure = contenders[index]
      if (measure === undefined) continue
      const value = await measure()
      if (round > 0) measured[index]?.push(value)
    }
  }
  return measured
}

/** The same for what only takes time. @param {readonly Contender[]} contenders @param {number} runs @returns {Promise<readonly Timed[]>} */
export async function timeInTurn(contenders, runs) {
  const timing = contenders.map(({ before, run, after }) => async () => {
    await before?.()
    const startedAt = performance.now()
    await run()
    const ms = performance.now() - startedAt
    await after?.()
    return ms
  })
  const measured = await measureInTurn(timing, runs)
  return contenders.map(({ name }, index) => ({ name, ms: measured[index] ?? [] }))
}

/**
 * The ratios of one contender to its peer, run by run: their median, and the interval that holds the median of such ratios
 * 19 times out of 20 (by order statistics, no distribution assumed). @param {Timed} one @param {Timed} peer
 */
export function ratioOf(one, peer) {
  return pairedOf(one.ms, peer.ms, (value, other) => value / other)
}

/** The same of any two rows of values, by any comparison. @param {readonly number[]} one @param {readonly number[]} peer @param {(value: number, other: number) => number} compare */
export function pairedOf(one, peer, compare) {
  const compared = one.map((value, run) => compare(value, peer[run] ?? Number.NaN)).sort((a, b) => a - b)
  const [low, high] = medianInterval(compared)
  return { median: median(compared), low, high }
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const at = (/** @type {number} */ index) => sorted[index] ?? Number.NaN
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle))
}

/** @param {readonly number[]} sorted @returns {readonly [number, number]} */
function medianInterval(sorted) {
  const count = sorted.length
  // The k-th smallest and largest hold the median with the probability 1 - 2 * P(Binomial(n, 1/2) < k).
  let k = 0
  let below = 0.5 ** count
  while (2 * below <= 0.05 && k < count / 2) {
    k += 1
    below += binomial(count, k) * 0.5 ** count
  }
  const rank = Math.max(k, 1)
  return [sorted[rank - 1] ?? Number.NaN, sorted[count - rank] ?? Number.NaN]
}

/** @param {number} n @param {number} k */
function binomial(n, k) {
  let result = 1
  for (let i = 1; i <= k; i += 1) result = (result * (n - k + i)) / i
  return result
}

/** Rows of text in columns. @param {readonly (readonly string[])[]} rows */
export function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
