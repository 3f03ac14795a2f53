import { describe, expect, it } from 'vitest'
import { backupCommand } from './backup-command.js'

describe('backupCommand', () => {
  it('writes options in parentheses from 15 on', () => {
    expect(backupCommand({ major: 15, label: 'maestra r1', checkpoint: 'fast' })).toBe(
      "BASE_BACKUP (LABEL 'maestra r1', PROGRESS, CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C', TARGET 'client')",
    )
  })

  it('writes options as words for 14', () => {
    expect(backupCommand({ major: 14, label: 'l', checkpoint: 'fast' })).toBe(
      "BASE_BACKUP LABEL 'l' PROGRESS FAST NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'",
    )
    expect(backupCommand({ major: 14, label: 'l', checkpoint: 'spread' })).not.toContain('FAST')
  })

  it('doubles quotes in the label and leaves backslashes alone', () => {
    expect(backupCommand({ major: 18, label: String.raw`it's \ 'it'`, checkpoint: 'spread' })).toContain(
      String.raw`LABEL 'it''s \ ''it'''`,
    )
  })

  it('refuses a label that would add a line to backup_label', () => {
    expect(() => backupCommand({ major: 18, label: 'a\nb', checkpoint: 'fast' })).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    )
  })
})
