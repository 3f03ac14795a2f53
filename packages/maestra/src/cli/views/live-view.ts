/** A text that takes the place of the one before, as long as it fits above the prompt. */
export function liveView(write: (text: string) => void): { show(text: string): void } {
  let lines = 0
  return {
    show: (text) => {
      write(lines === 0 ? text : `\u001b[${lines}A\u001b[J${text}`)
      lines = text.split('\n').length - 1
    },
  }
}
