import { newestMajor, oldestMajor } from '@maestra/client/postgres/version'
import { z } from 'zod'
import { isClientAddress, isReachableAddress, parseHostAndPort } from './address.js'
import { isBaseBackupRate } from './base-backup-rate.js'
import { parameterNamePattern, reservedParameters } from './parameters.js'

const namePattern = /^[a-z][a-z0-9_-]{0,62}$/

// A path goes into postgresql.conf, command lines and pg_hba.conf: a control character in it is never meant.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const pathPattern = /^(?!~)[^\u0000-\u001f\u007f]+$/

/** Roles that PostgreSQL reserves, and the superuser, which must not be what standbys log in with. */
const rolePattern = /^(?!pg_|(?:public|none|postgres)$)[a-z_][a-z0-9_]{0,62}$/

const parameters = z
  .record(
    z
      .string()
      .regex(parameterNamePattern)
      .meta({ not: { enum: Object.keys(reservedParameters) } }),
    z.union([z.string(), z.number(), z.boolean()]),
  )
  .meta({
    title: 'Parameters',
    description:
      'Parameters of PostgreSQL, as in postgresql.conf: `shared_buffers: 256MB`, `archive_mode: on`. What Maestra sets itself (port, data_directory, primary_conninfo, ...) is declared elsewhere in this file.',
  })

const baseBackup = z
  .strictObject({
    with: z.enum(['maestra', 'pg_basebackup']).default('maestra').meta({
      title: 'Program',
      description:
        'What copies the data: Maestra itself, or the `pg_basebackup` that stands beside the programs of the server.',
    }),
    checkpoint: z.enum(['fast', 'spread']).default('fast').meta({
      title: 'Checkpoint',
      description:
        'How the primary makes the checkpoint that a copy begins with: at once, with a burst of writes (`fast`), or at its usual pace, which can take minutes (`spread`).',
    }),
    max_rate: z.string().refine(isBaseBackupRate).optional().meta({
      title: 'Rate limit',
      description: 'How much the primary sends a second at most, from `32kB` to `1GB`. There is no limit without it.',
    }),
    verify: z.boolean().default(true).meta({
      title: 'Verification',
      description:
        'Whether every file is held to the checksum that the primary says it sent, and every page to its own. Names and sizes are compared in any case.',
    }),
  })
  .prefault({})
  .meta({ title: 'Base backup', description: 'How the data of the primary is copied for a new standby.' })

const node = z
  .strictObject({
    name: z.string().regex(namePattern).meta({
      title: 'Name',
      description:
        'The name of the node: lower-case letters, digits, `_` and `-`. Its replication slot and cluster_name are named after it.',
    }),
    host: z.string().refine(isReachableAddress).default('127.0.0.1').meta({
      title: 'Host',
      description: 'The address or host name at which applications and the other nodes reach this node.',
    }),
    port: z
      .int()
      .min(1)
      .max(65535)
      .default(5432)
      .meta({ title: 'Port', description: 'The TCP port that PostgreSQL listens on.' }),
    data: z.string().regex(pathPattern).meta({
      title: 'Data directory',
      description: 'The data directory of the node, absolute or relative to this file. Maestra creates it.',
    }),
    follows: z.string().regex(namePattern).optional().meta({
      title: 'Follows',
      description:
        'The name of the node whose WAL this standby receives: its upstream, as PostgreSQL calls it. The primary when it is left out; another standby makes this one a cascading replica.',
    }),
    via: z
      .string()
      .refine((text) => parseHostAndPort(text) !== undefined)
      .optional()
      .meta({
        title: 'Via',
        description:
          'Where this node reaches the node that it follows, as host:port, when that is not the address of that node itself: the near end of a tunnel, a proxy of TCP.',
      }),
    primary: z.boolean().default(false).meta({
      title: 'Primary',
      description:
        'Whether the node starts as the primary. Exactly one node does; all others follow it, or one another.',
    }),
    parameters: parameters.optional().meta({
      title: 'Parameters of this node',
      description: 'Parameters of PostgreSQL for this node alone, on top of those of the cluster.',
    }),
  })
  .meta({ title: 'Node', description: 'One PostgreSQL server of the cluster.' })

/**
 * The keys, types and defaults of maestra.yaml. What no single value can get wrong (two primaries, one port twice) is
 * a rule of the doctor.
 */
export const clusterFileSchema = z
  .strictObject({
    cluster: z.string().regex(namePattern).meta({
      title: 'Cluster',
      description: 'The name of the cluster: lower-case letters, digits, `_` and `-`.',
    }),
    postgres: z
      .strictObject({
        version: z.int().min(oldestMajor).max(newestMajor).meta({
          title: 'Major version',
          description: 'The major version of PostgreSQL that every node runs: `18`, not `18.4`.',
        }),
        bin: z.string().regex(pathPattern).optional().meta({
          title: 'Programs',
          description:
            'The directory of the PostgreSQL programs (initdb, postgres, ...). Looked for in the usual places when it is left out.',
        }),
      })
      .meta({ title: 'PostgreSQL', description: 'Which PostgreSQL the nodes run.' }),
    nodes: z.array(node).min(1).meta({
      title: 'Nodes',
      description: 'The servers of the cluster: one primary and the standbys that follow it.',
    }),
    replication: z
      .strictObject({
        role: z.string().regex(rolePattern).default('replicator').meta({
          title: 'Role',
          description: 'The role that standbys log in with. Maestra creates it.',
        }),
        authentication: z.enum(['scram-sha-256', 'trust']).default('scram-sha-256').meta({
          title: 'Authentication',
          description:
            'How standbys prove who they are: by a password (`scram-sha-256`), or not at all (`trust`: whoever can reach the port from the address of a node may read everything).',
        }),
      })
      .prefault({})
      .meta({ title: 'Replication', description: 'How standbys connect to the primary.' }),
    base_backup: baseBackup,
    allow: z
      .array(
        z
          .string()
          .refine(isClientAddress)
          .meta({ title: 'Address', description: 'A range, an address or a host name.' }),
      )
      .default([])
      .meta({
        title: 'Allowed clients',
        description:
          'From where applications may connect, with a password: ranges (`10.0.0.0/8`), addresses or host names.',
      }),
    archive: z
      .strictObject({
        directory: z.string().regex(pathPattern).meta({
          title: 'Directory',
          description:
            'Where the primary archives its WAL, and where a standby takes what the primary does not have any more: absolute or relative to this file, the same on every node. Maestra makes it.',
        }),
      })
      .optional()
      .meta({
        title: 'Archive',
        description: 'An archive of WAL in a directory, never overwritten and never cleaned up by Maestra.',
      }),
    parameters: parameters.optional().meta({
      title: 'Parameters of every node',
      description:
        'Parameters of PostgreSQL for every node, as in postgresql.conf: `shared_buffers: 256MB`, `archive_mode: on`.',
    }),
    passfile: z.string().regex(pathPattern).default('maestra.pgpass').meta({
      title: 'Password file',
      description:
        'The file with the passwords of this cluster, in the form of .pgpass, absolute or relative to this file. Maestra makes it when it is missing.',
    }),
  })
  .meta({
    title: 'Maestra cluster file',
    description: 'What a PostgreSQL cluster should be: one primary and the standbys that follow it.',
  })

/** A cluster file whose every value has the right form, with its defaults filled in. */
export type ClusterFile = z.infer<typeof clusterFileSchema>
