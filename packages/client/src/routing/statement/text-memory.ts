/** Characters of texts in one generation: with long texts it is full sooner. */
const mostCharacters = 2_000_000

/**
 * What is known of texts, by their letters, in two generations: what is asked for again moves into the young one, and when that is full
 * the old one is dropped.
 */
export class TextMemory<Value> {
  readonly #size: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  #characters = 0

  /** @param size How many texts are remembered, at the least, as long as they are short; twice as many at the most. */
  constructor(size: number) {
    this.#size = size
  }

  get(text: string): Value | undefined {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const old = this.#old.get(text)
    if (old !== undefined) this.set(text, old)
    return old
  }

  set(text: string, value: Value): void {
    if (this.#young.size >= this.#size || this.#characters + text.length > mostCharacters) {
      this.#old = this.#young
      this.#young = new Map()
      this.#characters = 0
    }
    this.#young.set(text, value)
    this.#characters += text.length
  }

  delete(text: string): void {
    this.#young.delete(text)
    this.#old.delete(text)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#characters = 0
  }
}
