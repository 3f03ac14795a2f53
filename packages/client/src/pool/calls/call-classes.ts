import { messageOf } from '../../base/error.js'
import { Classifier } from '../../routing/statement/classify.js'
import { type Statement, withHint } from '../../routing/statement/statement.js'
import type { TextRow } from './ask-server.js'
import { Catalog } from './catalog.js'
import type { QueryCall } from './query-arguments.js'

/** What a named statement without a text is: nobody knows. */
const untold: Statement = {
  kind: 'other',
  reason: 'empty-text',
  single: false,
  mayWrite: true,
  maySetParameters: true,
  changesNames: false,
  replicaByHint: false,
}

/** What a server says of names that the classifier was told otherwise about. */
const namesAreOld = new Set(['42P01', '42703', '42883', '42704', '25006'])

/** What the calls of an application are, by their texts, by what they ask for, and by what the database has made. */
export class CallClasses {
  readonly #classifier = new Classifier()
  readonly #catalog: Catalog
  #setsSynchronousCommit = true
  #isNamed = false
  #waiting: (() => void)[] = []

  constructor(options: {
    /** Runs texts of one row each on the primary. */
    readonly askPrimary: (texts: readonly string[]) => Promise<readonly TextRow[]>
    readonly failed: (error: string) => void
  }) {
    this.#catalog = new Catalog({
      ask: options.askPrimary,
      seen: ({ names, setsSynchronousCommit }) => {
        this.#setsSynchronousCommit = setsSynchronousCommit
        this.#classifier.setNames(names)
        this.#isNamed = true
        this.#tellWaiting()
      },
      failed: (error) => {
        options.failed(messageOf(error))
        this.#tellWaiting()
      },
    })
    // Until then everything is for the primary; so it stays where the grammar cannot be loaded.
    this.#classifier.load().catch((error: unknown) => options.failed(messageOf(error)))
  }

  /** Whether a user function may set synchronous_commit, or nobody knows yet (rule W4). */
  get setsSynchronousCommit(): boolean {
    return this.#setsSynchronousCommit
  }

  classify({ text, options }: QueryCall): Statement {
    if (text === undefined) return untold
    const statement = this.#classifier.classify(text)
    return options.target === undefined ? statement : withHint(statement, options.target)
  }

  /** Calls back when the names of the database are known, or could not be asked. */
  whenNamed(told: () => void): void {
    if (this.#isNamed) told()
    else this.#waiting.push(told)
  }

  /** Something was made, or another server is the primary: until its names are known nothing is proven. */
  namesChanged(): void {
    this.#classifier.setNames(undefined)
    this.#isNamed = false
    this.#catalog.refresh()
  }

  refusedAsWrite({ text }: QueryCall): void {
    if (text !== undefined) this.#classifier.refusedAsWrite(text)
  }

  /** An error of a server, which may come of names that were made since. */
  sawError(code: string): void {
    if (namesAreOld.has(code)) this.#catalog.doubt()
  }

  stop(): void {
    this.#catalog.stop()
    this.#tellWaiting()
  }

  #tellWaiting(): void {
    for (const told of this.#waiting.splice(0)) told()
  }
}
