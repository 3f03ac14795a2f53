/** Of every command that does something to a sandbox. */
export const sandboxNameOption = ['--name <name>', 'the sandbox; not needed while only one is up'] as const
