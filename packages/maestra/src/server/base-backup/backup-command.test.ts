import { describe, expect, it } from 'vitest'
import { backupCommand } from './backup-command.js'

describe('backupCommand', () => {
  it('writes options in parentheses from 15 on', () => {
    expect(backupCommand({ major: 15, label: 'maestra r1', checkpoint: 'fast', verify: true })).toBe(
      "BASE_BACKUP (LABEL 'maestra r1', PROGRESS, CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C', TARGET 'client')",
    )
  })

  it('writes options as words for 14', () => {
    expect(backupCommand({ major: 14, label: 'l', checkpoint: 'fast', verify: true })).toBe(
      "BASE_BACKUP LABEL 'l' PROGRESS FAST NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'",
    )
    expect(backupCommand({ major: 14, label: 'l', checkpoint: 'spread', verify: true })).not.toContain('FAST')
  })

  it('limits the rate, in kB a second', () => {
    const limited = { label: 'l', checkpoint: 'fast', verify: true, maxRateKb: 51_200 } as const
    expect(backupCommand({ major: 18, ...limited })).toContain(', MAX_RATE 51200, ')
    expect(backupCommand({ major: 14, ...limited })).toContain(' MAX_RATE 51200 ')
  })

  it('asks for no checksums, neither of pages nor of files, when nothing is to be verified', () => {
    const unverified = { label: 'l', checkpoint: 'fast', verify: false } as const
    expect(backupCommand({ major: 18, ...unverified })).toMatch(/VERIFY_CHECKSUMS false.*MANIFEST_CHECKSUMS 'NONE'/)
    expect(backupCommand({ major: 14, ...unverified })).toMatch(/ NOVERIFY_CHECKSUMS .*MANIFEST_CHECKSUMS 'NONE'/)
    expect(backupCommand({ major: 14, ...unverified })).toContain(`MANIFEST 'yes'`)
  })

  it('doubles quotes in the label and leaves backslashes alone', () => {
    expect(backupCommand({ major: 18, label: String.raw`it's \ 'it'`, checkpoint: 'spread', verify: true })).toContain(
      String.raw`LABEL 'it''s \ ''it'''`,
    )
  })

  it('refuses a label that would add a line to backup_label', () => {
    expect(() => backupCommand({ major: 18, label: 'a\nb', checkpoint: 'fast', verify: true })).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    )
  })
})
