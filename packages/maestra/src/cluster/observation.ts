import type { Secret } from '@maestra/client/base/secret'
import type { Lsn } from '@maestra/client/postgres/lsn'
import type { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import type { TimelineId, TimelineSwitch } from '@maestra/client/postgres/timeline'
import type { ServerVersion } from '@maestra/client/postgres/version'
import type { Tablespace } from './tablespace.js'

/** What is: read from servers and files in one look, never remembered between runs. */
export type Observation = {
  /** In the order of the cluster file. */
  readonly nodes: readonly NodeObservation[]
  readonly passwords: PasswordsObservation
  /** The archive, where the cluster declares one. */
  readonly archive?: ArchiveObservation | undefined
  /** Asked where a standby may have to be copied and the primary can be asked; undefined as well where it did not say. */
  readonly copy?: CopyObservation | undefined
}

/** What a copy of the primary is up against. */
export type CopyObservation = {
  /** The size of all databases. */
  readonly dataBytes: number
  /** WAL that was written since its statistics were reset, and how long ago that was. */
  readonly walBytes: number
  readonly walMs: number
}

/** A value that cannot be had right now, with the reason in words that complete "unknown, because ...". */
export type Unknown = { readonly kind: 'unknown'; readonly because: string }

/**
 * The passwords of the cluster that are known here: in the cluster's passfile, or for the superuser in PGPASSWORD or in the
 * user's own password file.
 */
export type PasswordsObservation = {
  readonly superuser: Secret | undefined
  readonly replication: Secret | undefined
  /**
   * Nodes for which the passfile lacks a line of a user that it has lines of; whoever uses it with psql misses them.
   */
  readonly nodesWithout: readonly string[]
  /** What is wrong with the user's own password file, where it was needed: `… is ignored, as …`. */
  readonly ignoredPassfile?: string | undefined
}

export type ArchiveObservation =
  | ({ readonly kind: 'absent' } & ArchivePlace)
  | ({
      readonly kind: 'directory'
      /** Whether the account may write there, as far as its mode tells. */
      readonly writable: boolean
      /** Some of the segments in it, enough to tell whose they are. */
      readonly wal: readonly ArchivedSegment[]
    } & ArchivePlace)
  /** Something else has its path: the reason, which completes "it is". */
  | { readonly kind: 'in-the-way'; readonly because: string }
  | Unknown

type ArchivePlace = {
  /** The account that the server of the primary runs as. */
  readonly account: string
  /** The node whose data directory it leads into, when links are followed. */
  readonly inDataOf: string | undefined
  /** A folder, on the way or itself, that the account cannot enter. */
  readonly closedFolder: string | undefined
}

export type ArchivedSegment = { readonly name: string; readonly systemIdentifier: string }

export type NodeObservation = {
  readonly name: string
  readonly directory: DirectoryObservation
  readonly process: ProcessObservation
  readonly server: ServerObservation
  readonly binaries: BinariesObservation
  /** Whether a server could listen on the node's address and port; only looked at while the node has no process. */
  readonly port:
    | { readonly kind: 'free' }
    | { readonly kind: 'taken'; readonly reason: string }
    | { readonly kind: 'not-asked' }
  /** Looked at where a standby does not stream from where it should, on it and then on the nodes on its way to the primary. */
  readonly wal?: WalObservation | Unknown | undefined
}

/**
 * The WAL in a node's data directory, as its files tell it: pg_control of a standby is as old as its last restart point.
 */
export type WalObservation = {
  readonly kind: 'known'
  /** The timeline that its WAL is on. */
  readonly timeline: TimelineId
  /** Where each timeline before that was left; the oldest of them may be missing. */
  readonly switches: readonly TimelineSwitch[]
  /** The end of its last complete record: at least so far it has come. */
  readonly end: Lsn
  /** It asks its primary for the segment of this position, or for one before; later than its end where a record is torn. */
  readonly needs: Lsn
  /** From here up to its end every segment is there. */
  readonly from: Lsn
  /** Whether it may have a restore_command that is not Maestra's: what is declared tells that one. */
  readonly restores: boolean
  /**
   * Whether the declared archive holds the segment of `needs`, of any timeline; undefined where there is none, or nobody
   * could look.
   */
  readonly archived?: boolean | undefined
  /** Before its end another node, of those that it gets its WAL from, has other bytes in the same place. */
  readonly differs?: { readonly from: string; readonly at: Lsn } | undefined
}

export type DirectoryObservation =
  | { readonly kind: 'absent' }
  | { readonly kind: 'empty' }
  /** Something is there and it is no data directory of PostgreSQL. */
  | { readonly kind: 'foreign'; readonly holds: readonly string[] }
  /** Nothing is there, and yet no data directory can be made: the reason, which completes "it is". */
  | { readonly kind: 'unusable'; readonly because: string }
  | DataDirectory
  | Unknown

export type DataDirectory = {
  readonly kind: 'data'
  readonly majorVersion: number
  /** Name of the account that owns it. */
  readonly owner: string
  /** Which node of which cluster Maestra made it for; undefined when it did not make it. */
  readonly madeFor: { readonly cluster: string; readonly node: string } | undefined
  readonly control: {
    readonly systemIdentifier: string
    readonly state: string
    readonly timeline: TimelineId
    readonly checkpointLsn: Lsn
    /** What its primary ran with, as far as the WAL that it has replayed tells; a standby does not start with less. */
    readonly standbyMinimums: Readonly<Record<keyof typeof standbyMinimumSettings, number>>
  }
  /** Why it cannot be renamed and leave its place to another, in words that follow its path: `is a mount point`. */
  readonly fixed?: string | undefined
  /** Whether standby.signal is there. */
  readonly standbySignal: boolean
  readonly configuration: {
    /** Whether postgresql.conf includes Maestra's settings file. */
    readonly included: boolean
    readonly settings: string | undefined
    /**
     * When Maestra's settings file was written, in ms since 1970; it is the last of the files that are written
     * together.
     */
    readonly settingsWrittenAtMs: number | undefined
    /** Maestra's block of pg_hba.conf, without its marks; undefined when there is none. */
    readonly hbaBlock: string | undefined
    /** The line of pg_hba.conf, from 1 on, with which the content of that block begins. */
    readonly hbaBlockLine?: number | undefined
    /** What wins over Maestra's settings file, as far as postgresql.conf itself and postgresql.auto.conf tell. */
    readonly settingsAbove: readonly FileSetting[]
    /** The node's own passfile; undefined when it is not there, or when others may read it: then the server ignores it. */
    readonly passfile: Secret | undefined
  }
}

/** A line of a configuration file that sets something. */
export type FileSetting = {
  /** Absolute. */
  readonly file: string
  readonly line: number
  readonly name: string
  readonly value: string
}

export type ProcessObservation =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'running'
      readonly pid: number
      /** The word that the postmaster keeps in postmaster.pid: `starting`, `ready`, `standby`, `stopping`. */
      readonly status: string
      /** Where it listens, by its postmaster.pid; it may have been started with another port. */
      readonly port: number
    }
  | Unknown

export type BinariesObservation =
  | { readonly kind: 'found'; readonly directory: string; readonly version: ServerVersion; readonly source: string }
  | { readonly kind: 'missing'; readonly looked: readonly string[] }

export type ServerObservation =
  /** No server process runs on the data directory. */
  | { readonly kind: 'down' }
  /** It answers that it cannot take connections yet, or any more. */
  | { readonly kind: 'starting'; readonly because: string }
  | RunningServer
  /** It cannot be asked; the reason in one line. */
  | { readonly kind: 'unreachable'; readonly because: string }

export type RunningServer = {
  readonly kind: 'up'
  readonly version: ServerVersion
  readonly systemIdentifier: string
  readonly dataDirectory: string
  readonly inRecovery: boolean
  readonly timeline: TimelineId
  /** Primary: what it has written. Standby: what it has replayed. */
  readonly lsn: Lsn
  /** What a standby has received by streaming since it was started, replayed or not. */
  readonly receivedLsn?: Lsn | undefined
  /** Whether it has a restore_command, or will have when it reads its files again, that is not in Maestra's file. */
  readonly restores?: boolean | undefined
  readonly replayPaused: boolean
  /** How long a standby holds back each commit before it replays it: its recovery_min_apply_delay. */
  readonly applyDelayMs: number
  /** Whether a standby waits for that right now, and so does nothing else. */
  readonly waitsForDelay: boolean
  /** When it was started, in ms since 1970, by its own clock. */
  readonly startedAtMs: number
  /** Commit time of the last transaction that a standby replayed, in ms since 1970, by the clock of the primary. */
  readonly lastReplayedCommitAtMs: number | undefined
  /** Milliseconds since the commit time of the last transaction that a standby replayed, by the standby's clock. */
  readonly sinceLastReplayMs: number | undefined
  /** What is wrong with its configuration files as they are on the disk: `file:line: name: error`. */
  readonly configurationErrors: readonly string[]
  /** What wins over Maestra's settings file in its files as they are on the disk, in the order in which it reads them. */
  readonly settingsAbove: readonly FileSetting[]
  /** When it last read its configuration files, in ms since 1970. */
  readonly configurationLoadedAtMs: number
  /** Settings that the files on the disk change, whether it has read them or not, and that only a restart changes. */
  readonly pendingRestart: readonly string[]
  /** What it runs with of each setting that only a restart changes, whatever its files say by now. */
  readonly startedWith: Readonly<Record<string, StartedSetting>>
  readonly walReceiver: WalReceiver | undefined
  readonly walSenders: readonly WalSender[]
  readonly slots: readonly ReplicationSlot[]
  /** Those outside of its data directory. */
  readonly tablespaces: readonly Tablespace[]
  /** The WAL file that could not be archived, when nothing has been since, and how often anything failed. */
  readonly failedArchiving?: { readonly file: string; readonly times: number } | undefined
  readonly replicationRole: ReplicationRole | undefined
}

export type StartedSetting = {
  /** As SHOW prints it. */
  readonly value: string
  /** Whether that comes from Maestra's settings file. */
  readonly ofMaestra: boolean
}

export type WalReceiver = {
  readonly status: string
  readonly host: string
  readonly port: number
  readonly slot: string | undefined
}

export type WalSender = {
  /** application_name of the standby: the name of its node. */
  readonly node: string
  readonly state: string
  readonly sync: string
  readonly replayLsn: Lsn | undefined
  /** Milliseconds that the last replayed WAL needed from here to there; undefined when nothing was sent lately. */
  readonly replayLagMs: number | undefined
}

export type ReplicationSlot = {
  readonly name: string
  readonly physical: boolean
  readonly active: boolean
  /** Undefined for one that was made without reserving WAL and that nobody has used since. */
  readonly walStatus: string | undefined
  /** Why a slot is of no use any more, from 17 on. */
  readonly invalidation?: string | undefined
}

export type ReplicationRole = {
  readonly canLogin: boolean
  readonly canReplicate: boolean
  /**
   * Whether its password is the one that is known here: that, another one (or none), that one in the form of md5, by which
   * scram-sha-256 lets nobody in, or it cannot be told.
   */
  readonly passwordIs: 'known' | 'another' | 'md5' | 'unknown'
}
