import { describe, expect, it } from 'vitest'
import { parseProbe, parseProgress } from './parse-probe.js'

const server = {
  system_identifier: '7713726641263776827',
  started_at: '2026-11-29 22:38:58.983842',
  backend_pid: '1544',
  version_number: '180004',
  checkpoint_timeline: '2',
  recovery_timeline: '0',
  wal_block_size: '8192',
  wal_segment_size: '16777216',
  read_only_by: null,
}
const primary = {
  ...server,
  in_recovery: 'false',
  replayed: '0/174BDA8',
  inserted: '1/174BDA8',
  flushed: '1/174BD00',
  wal_file: '0000000A0000000100000001',
  received: null,
  received_timeline: null,
  receiver_seen: 'false',
  replayed_commit_ms: null,
  server_clock_ms: '1795991967966.692000',
}
const standby = {
  ...primary,
  in_recovery: 'true',
  replayed: '0/174BDA8',
  inserted: null,
  flushed: null,
  wal_file: null,
  received: '0/174BE00',
  received_timeline: '3',
  receiver_seen: 'true',
  replayed_commit_ms: '1795991967466.692000',
  recovery_timeline: '3',
}

describe('the row of a probe', () => {
  it('is that of a primary', () => {
    expect(parseProbe(primary)).toEqual({
      systemIdentifier: '7713726641263776827',
      startedAt: '2026-11-29 22:38:58.983842',
      backendPid: 1544,
      readOnly: false,
      versionNumber: 180004,
      walBlockSize: 8192,
      walSegmentSize: 16_777_216,
      checkpointTimeline: 2,
      passedTimeline: 2,
      progress: {
        inRecovery: false,
        inserted: 0x1_0174_bda8n,
        flushed: 0x1_0174_bd00n,
        timeline: 10,
        lastReplayed: 0x174bda8n,
      },
    })
  })

  it('is that of a standby', () => {
    const { readOnly, passedTimeline, progress } = parseProbe(standby)
    expect({ readOnly, passedTimeline, progress }).toEqual({
      readOnly: true,
      passedTimeline: 3,
      progress: {
        inRecovery: true,
        replayed: 0x174bda8n,
        received: 0x174be00n,
        receivedTimeline: 3,
        receiverSeen: true,
        replayedCommitAgeMs: 500,
      },
    })
  })

  it('has no position where PostgreSQL has none', () => {
    const empty = { ...standby, replayed: null, received: '0/0', received_timeline: '0', replayed_commit_ms: null }
    expect(parseProgress(empty)).toMatchObject({
      replayed: undefined,
      received: undefined,
      receivedTimeline: undefined,
      replayedCommitAgeMs: undefined,
    })
  })

  it.each([
    ['configuration file', true],
    ['database', true],
    ['user', false],
    ['database user', false],
    ['client', false],
    [null, false],
  ])('says that a primary which is read-only by %s takes no writes: %s', (source, readOnly) => {
    expect(parseProbe({ ...primary, read_only_by: source }).readOnly).toBe(readOnly)
  })

  it.each([
    ['a position', { inserted: '0-1' }, '"0-1" is not an LSN'],
    ['a position that is missing', { flushed: null }, 'column flushed of a probe is null, not a text'],
    ['a number', { backend_pid: 'x' }, 'column backend_pid of a probe is "x", not a number'],
    ['a value that an application parsed', { backend_pid: 5 }, 'column backend_pid of a probe is 5, not a text'],
  ])('is refused with %s that is none', (_what, changed, words) => {
    expect(() => parseProbe({ ...primary, ...changed })).toThrow(words)
  })
})
