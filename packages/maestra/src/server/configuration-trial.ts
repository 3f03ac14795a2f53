import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { includesFiles, settingsOf, withIncluded } from '@maestra/client/postgres/conf'
import { autoConfFile, settingsFile } from '../cluster/node-configuration.js'
import type { Account, Host } from '../host/host.js'
import type { Binaries } from './binaries.js'
import { inScratch } from './incoming.js'
import { missingCertificate } from './missing-certificate.js'
import { lastWords } from './start-log.js'

/** How long PostgreSQL may take to read a configuration, in ms; libraries that it loads for that included. */
const trialTimeoutMs = 30_000

/** The first major version that also says what does not go together. */
const triesTogetherSince = 15

export type Trial = {
  readonly node: string
  readonly account: Account
  readonly binaries: Binaries
  /** What Maestra's settings file would say. */
  readonly settings: string
  readonly signal?: AbortSignal | undefined
}

/**
 * What PostgreSQL says against the configuration that a data directory would have with these settings; undefined when it
 * takes it. Its programs read all files as they would be (`postgres -C`): the user's, with Maestra's settings in the place of
 * their include, and those of ALTER SYSTEM. Values stand in a file, never on a command line.
 */
export async function tryInDirectory(host: Host, directory: string, trial: Trial): Promise<string | undefined> {
  // Comments may be in any encoding. As latin1 each byte is kept.
  const path = join(directory, 'postgresql.conf')
  const conf = (await host.files.readBytes(path))?.toString('latin1') ?? ''
  const settings = inLatin1(trial.settings)
  const text = withIncluded(conf, settingsFile, settings)
  const placeOf = (line: number): string => placeIn(text, settings, path, line)
  const asked = trial.binaries.version.major >= triesTogetherSince ? 'shared_memory_size' : 'data_directory'
  const auto = (await host.files.readBytes(join(directory, autoConfFile)))?.toString('latin1') ?? ''
  const maySetSsl = [text, auto].some((each) => includesFiles(each) || settingsOf(each)['ssl'] !== undefined)
  return await tryText(host, directory, { ...trial, text, asked, placeOf, maySetSsl, relativeTo: directory })
}

/** The same of a directory that is not there yet, as far as each value alone tells. */
export async function tryWithoutDirectory(host: Host, data: string, trial: Trial): Promise<string | undefined> {
  const text = inLatin1(trial.settings)
  const maySetSsl = settingsOf(text)['ssl'] !== undefined
  const options = {
    ...trial,
    text,
    asked: 'data_directory',
    placeOf: () => '',
    maySetSsl,
    relativeTo: undefined,
  } as const
  return await inScratch(host, { data, account: trial.account }, (scratch) => tryText(host, scratch, options))
}

function inLatin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** Removes what killed runs left of trials in a data directory. */
export async function removeTrials(host: Host, directory: string): Promise<void> {
  const names = (await host.files.list(directory)) ?? []
  await Promise.all(names.filter(isOfTrial).map((name) => host.files.removeFile(join(directory, name))))
}

type TextTrial = Trial & {
  readonly text: string
  /** The setting whose value is asked for. One that is computed from others is told only when all go together. */
  readonly asked: 'shared_memory_size' | 'data_directory'
  /** In words that follow what is wrong, where a line of the text has its place. */
  readonly placeOf: (line: number) => string
  /** Whether any of the files may say something of ssl; it is asked for only then. */
  readonly maySetSsl: boolean
  /** The data directory, where it is there. */
  readonly relativeTo: string | undefined
}

async function tryText(host: Host, directory: string, options: TextTrial): Promise<string | undefined> {
  const { node, account, text, asked, maySetSsl, relativeTo } = options
  const file = join(directory, trialFileOf(node))
  await host.files.write(file, Buffer.from(text, 'latin1'), { mode: 0o600, owner: account })
  try {
    const { objection } = await ask(host, directory, asked, options)
    if (objection !== undefined || !maySetSsl) return objection
    const told = async (name: string) => (await ask(host, directory, name, options)).value
    return await missingCertificate(host, { account, directory: relativeTo, told })
  } finally {
    await host.files.removeFile(file)
  }
}

/** Has PostgreSQL read the file of the trial and say what one setting is. */
async function ask(
  host: Host,
  directory: string,
  asked: string,
  options: TextTrial,
): Promise<{ readonly value: string; readonly objection: string | undefined }> {
  const { node, account, binaries, placeOf } = options
  const file = join(directory, trialFileOf(node))
  const late = AbortSignal.timeout(trialTimeoutMs)
  const signal = options.signal === undefined ? late : AbortSignal.any([late, options.signal])
  const program = join(binaries.directory, 'postgres')
  try {
    const args = ['-D', directory, '-c', `config_file=${file}`, '-C', asked]
    const { exitCode, stdout, stderr } = await host.processes.run(program, args, { account, signal })
    const isTaken = exitCode === 0 || isOtherServer(stderr)
    return { value: stdout.trim(), objection: isTaken ? undefined : objectionIn(stderr, file, placeOf) }
  } catch (error) {
    if (!late.aborted) throw error
    throw new MaestraError('deadline-passed', `${program} did not read ${file} within ${trialTimeoutMs} ms`, {
      cause: error,
    })
  }
}

/** It looks for another server of the directory when it has found nothing wrong. The name is in the words of every language. */
function isOtherServer(said: string): boolean {
  return said.includes('postmaster.pid')
}

/** In one line, without what is only true of a trial. */
function objectionIn(said: string, file: string, placeOf: TextTrial['placeOf']): string {
  const lines = said
    .split('\n')
    .filter((line) => !line.includes(`"${file}" contains errors`))
    .map((line) => line.replaceAll(` in file "${file}" line `, inTrial))
    .map((line) => line.replace(inTrialLine, (_, number) => placeOf(Number(number))))
  const words = lastWords(lines.join('\n')).replace(/(^|; )(?:LOG: |FATAL: |postgres: )/g, '$1')
  return words || 'PostgreSQL did not say why'
}

const inTrial = ' in the trial, line '
const inTrialLine = / in the trial, line (\d+)/

/** Where a line of the trial's file stands in the user's; nowhere when it is one of Maestra's settings. */
function placeIn(conf: string, settings: string, path: string, line: number): string {
  const before = conf.slice(0, conf.indexOf(settings)).split('\n').length - 1
  const own = settings.split('\n').length - 1
  if (line > before && line <= before + own) return ''
  return ` in file "${path}" line ${line <= before ? line : line - own + 1}`
}

/** Its own of each node: several may be tried in the directory of one. */
function trialFileOf(node: string): string {
  return `maestra.trial.${node}.conf`
}

function isOfTrial(name: string): boolean {
  return /^maestra\.trial\..*\.conf(\.maestra-new)?$/.test(name)
}
