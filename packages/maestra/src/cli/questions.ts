import { createInterface } from 'node:readline/promises'
import { MaestraError } from '@maestra/client/base/error'

/** Asks on the terminal; the caller closes it. */
export type Questions = {
  /** One line, without the spaces around it. Throws `interrupted` for Ctrl-C and Ctrl-D. */
  ask(question: string): Promise<string>
  close(): void
}

export function openQuestions(signal: AbortSignal): Questions {
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  const closed = new AbortController()
  prompt.on('close', () => closed.abort())
  return {
    ask: async (question) => {
      try {
        return (await prompt.question(question, { signal: AbortSignal.any([signal, closed.signal]) })).trim()
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw new MaestraError('interrupted', 'stopped at the question; nothing was changed', { cause: error })
      }
    },
    close: () => prompt.close(),
  }
}
