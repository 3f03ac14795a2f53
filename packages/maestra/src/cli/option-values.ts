import { InvalidArgumentError } from 'commander'

/** The value of an option that counts something. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** Seconds of an option, as milliseconds. */
export function secondsAsMs(text: string): number {
  const seconds = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (seconds <= 0) throw new InvalidArgumentError('It must be a number of seconds above 0, such as 1 or 0.5.')
  return Math.max(1, Math.round(seconds * 1000))
}
