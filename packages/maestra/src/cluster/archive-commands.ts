/**
 * The archive_command that copies a segment of WAL into a directory. For a POSIX sh with cp, mv, rm, sync and cmp. It
 * never replaces a file: one that is the same counts as archived, one that differs makes it fail, until somebody has
 * looked. A segment is copied under another name, synced and renamed, so that whatever has its name is whole; then the
 * directory is synced, since PostgreSQL removes its own copy next.
 */
export function archiveCommand(directory: string): string {
  return [
    `d=${shellWord(directory)}; f="$d/%f"; t="$f.$$.new"`,
    // What was killed half-way is tried again, under another number.
    'if [ -e "$f" ]; then cmp -s "%p" "$f"; else rm -f "$f".*.new',
    'cp "%p" "$t" && sync "$t" && mv -n "$t" "$f" && [ ! -e "$t" ] || { rm -f "$t"; false; }',
    'fi && sync "$f" "$d"',
  ].join('; ')
}

/** The restore_command that takes a file from such a directory; quiet where there is none, which is no error. */
export function restoreCommand(directory: string): string {
  return `f=${shellWord(directory)}/%f; [ -f "$f" ] && cp "$f" "%p"`
}

/** One word of a shell inside of a command in which PostgreSQL replaces what follows a percent sign. */
function shellWord(text: string): string {
  return `'${text.replaceAll('%', '%%').replaceAll("'", "'\\''")}'`
}

/** PostgreSQL up to 15 cuts off an archive_command that is longer in bytes, when %p and %f are filled in. */
export const longestArchiveCommandBytes = 1023

/** The longest name that PostgreSQL gives to be archived: a backup history file. */
const longestName = '000000010000000000000001.00000028.backup'

/** How long an archive_command can get in bytes, when PostgreSQL has filled in the names. */
export function archiveCommandBytes(command: string): number {
  const filled = command.replace(/%[pf%]/g, (placeholder) => {
    if (placeholder === '%%') return '%'
    return placeholder === '%f' ? longestName : `pg_wal/${longestName}`
  })
  return new TextEncoder().encode(filled).length
}
