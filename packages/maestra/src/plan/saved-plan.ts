import { MaestraError } from '@maestra/client/base/error'
import { z } from 'zod'
import type { Finding } from '../cluster/finding.js'
import { canonicalHash } from './canonical-hash.js'
import type { Plan } from './plan.js'
import { planDocument } from './plan-document.js'
import type { Step } from './step.js'

/** The form of the file. It changes when steps of before would mean something else, or could not be read. */
const format = 1

/** A plan in a file, with what it was made for. */
export type SavedPlan = {
  readonly createdAt: string
  /** The cluster file, absolute. */
  readonly clusterFile: string
  /** A hash of what it declared. */
  readonly declares: string
  readonly plan: Plan
}

/**
 * The text of a plan file: the document of `plan --json`, with what it was made for before it, and a checksum behind
 * it. It holds no passwords, and of the cluster file no lines.
 */
export function savedPlanText({ createdAt, clusterFile, declares, plan }: SavedPlan): string {
  const shown = planDocument(plan)
  const findings = shown.findings.map(({ place, ...finding }) => ({
    ...finding,
    ...(place === undefined ? {} : { place: { file: place.file, line: place.line, column: place.column } }),
  }))
  const content = { maestraPlan: format, createdAt, clusterFile, declares, ...shown, findings }
  return `${JSON.stringify({ ...content, checksum: canonicalHash(content) }, null, 2)}\n`
}

/** Whether a text is a plan file, be it broken or of another version: it may be written over. */
export function isSavedPlan(text: string): boolean {
  return /^\s*\{\s*"maestraPlan":/.test(text)
}

/** Reads the text of a plan file; `file` is for messages. Throws plan-file-invalid. */
export function readSavedPlan(text: string, file: string): SavedPlan {
  const invalid = (what: string, cause?: unknown) =>
    new MaestraError('plan-file-invalid', `${file} ${what}`, {
      hint: `make a new plan: maestra plan --out ${file}`,
      cause,
    })
  if (!isSavedPlan(text)) {
    throw new MaestraError('plan-file-invalid', `${file} is no plan file of Maestra`, {
      hint: 'maestra plan --out <file> writes one; a cluster file is named by --file',
    })
  }
  const read = parsed(text)
  if ('cause' in read) throw invalid('is cut off or damaged: it is no JSON', read.cause)
  const head = headSchema.safeParse(read.value)
  if (!head.success) throw invalid('has no version of its format')
  if (head.data.maestraPlan !== format)
    throw invalid(`has the format ${head.data.maestraPlan}, and this version of Maestra reads ${format}`)
  const { checksum, ...content } = head.data
  if (checksum !== canonicalHash(content))
    throw invalid('was changed after it was written: its checksum is another one')
  const found = schema.safeParse(content)
  if (!found.success) throw invalid(`is no plan: ${found.error.issues[0]?.path.join('.')} is wrong`)
  const { createdAt, clusterFile, declares, replace, ...plan } = found.data
  const request = replace === undefined ? {} : { replace }
  return { createdAt, clusterFile, declares, plan: { ...plan, request, refusals: [], unknowns: [] } }
}

const headSchema = z.looseObject({ maestraPlan: z.number(), checksum: z.string() })

const isObject = (value: unknown) => typeof value === 'object' && value !== null

/** The checksum says that Maestra wrote it; what is asked for here is what is used. */
const schema = z.object({
  createdAt: z.string(),
  clusterFile: z.string(),
  declares: z.string(),
  cluster: z.string(),
  replace: z.array(z.string()).optional(),
  steps: z.array(z.custom<Step>((value) => isObject(value) && 'kind' in value && 'why' in value)),
  findings: z.array(z.custom<Finding>(isObject)),
  fingerprint: z.string(),
})

function parsed(text: string): { readonly value: unknown } | { readonly cause: unknown } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (cause) {
    return { cause }
  }
}
