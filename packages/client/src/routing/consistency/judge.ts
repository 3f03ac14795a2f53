import type { Position } from './position.js'

/**
 * Whether the history of the known primary contains a position (T2, T7): `abandoned` when it was left behind at a switch point
 * before it, or belongs to another system; `unknown` when the switch point is not known.
 */
export type Judge = (position: Position) => 'contained' | 'abandoned' | 'unknown'
