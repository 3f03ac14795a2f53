/** A moment of an apply, as apply-until.js prints it. */
export type Moment = { readonly step: string; readonly at: string; readonly sinceStartMs: number }

/** When an apply is to be killed. */
export type Kill = {
  readonly step: string
  readonly at: string
  /** So many ms after it, which are so many thirds of the time to the next moment. */
  readonly laterMs?: number
  readonly thirds?: number
  /** Whether every run comes to it: what is counted, or takes long, may be over sooner. */
  readonly certain: boolean
}

/** Time in which nothing is seen from outside, such as an initdb or the wait for a server: worth a kill in its middle. */
const longMs = 60

/** What is done more often than this in a step, such as to begin a file, is done another time as often in another run. */
const fewTimes = 6

/** The moments of an apply that differ: what it may leave at one of them, it leaves at no other. */
export function killsOf(moments: readonly Moment[]): readonly Kill[] {
  return moments.flatMap(({ step, at, sinceStartMs }, index) => {
    if (!isWorthAKill(moments, index)) return []
    const gapMs = (moments[index + 1]?.sinceStartMs ?? sinceStartMs) - sinceStartMs
    const certain = timesOf(moments, index).count <= fewTimes
    const thirds = gapMs < longMs ? [] : [1, 2]
    return [
      ...(isPause(moments, index) ? [] : [{ step, at, certain }]),
      ...thirds.map((each) => ({ step, at, laterMs: Math.round((gapMs * each) / 3), thirds: each, certain: false })),
    ]
  })
}

/** The kind of the step that is killed: `start` of `start db1`. */
export function kindOf({ step }: Kill): string | undefined {
  return step.split(' ')[0]
}

/** The same for the same kill in another run, which takes another time. */
export function nameOf({ step, at, thirds = 0 }: Kill): string {
  return `${step}, ${at}, ${thirds}`
}

export function inWords({ step, at, laterMs }: Kill): string {
  return `${step}, ${at}${laterMs === undefined ? '' : `, ${laterMs} ms later`}`
}

/** The end of an effect or of a step, or a start, that the next moment follows at once: nothing is done between the two. */
function isPause(moments: readonly Moment[], index: number): boolean {
  const [moment, next] = moments.slice(index)
  if (moment === undefined || next === undefined || !isWorthAKill(moments, index + 1)) return false
  const isQuiet = ['started', 'ended'].includes(moment.at) || moment.at.startsWith('after ')
  return isQuiet && next.sinceStartMs - moment.sinceStartMs < 5
}

/** Of what a step does again and again the first, the middle and one near the end stand for all. */
function isWorthAKill(moments: readonly Moment[], index: number): boolean {
  const { count, number } = timesOf(moments, index)
  return count <= fewTimes || [1, Math.floor(count / 2), Math.floor(count * 0.9)].includes(number)
}

/** How often a step does what it does at a moment, and the how-manieth time this is. */
function timesOf(moments: readonly Moment[], index: number): { readonly count: number; readonly number: number } {
  const { step, at } = moments[index] ?? { step: '', at: '' }
  const [, effect, number] = /^(.* )(\d+)$/.exec(at) ?? []
  if (effect === undefined) return { count: 1, number: 1 }
  const same = moments.filter((other) => other.step === step && other.at.startsWith(effect))
  return { count: same.length, number: Number(number) }
}
