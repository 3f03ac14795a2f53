import { describe, expect, it } from 'vitest'
import { checkOptions } from './check-options.js'

function refused(options: unknown): unknown {
  try {
    checkOptions(options)
  } catch (error) {
    return error
  }
  return undefined
}

describe('the options of a sandbox', () => {
  it.each([
    {},
    { replicas: 2, name: 'shop', version: 18, durable: true, parameters: { work_mem: '8MB' } },
    { signal: new AbortController().signal, onEvent: () => {}, detach: false },
    // As JavaScript passes what a caller of its own was not given.
    { replicas: undefined, name: undefined, parameters: undefined, signal: undefined },
  ])('may be %j', (options) => {
    expect(refused(options)).toBeUndefined()
  })

  it.each([
    [null, 'the options of startSandbox must be an object, not null'],
    [2, 'the options of startSandbox must be an object, not 2'],
    [[], 'the options of startSandbox must be an object, not an array'],
    [{ replicas: '2' }, 'the option replicas of startSandbox must be a number, not "2"'],
    [{ replicas: null }, 'the option replicas of startSandbox must be a number, not null'],
    [{ name: 7 }, 'the option name of startSandbox must be a text, not 7'],
    [{ version: '18' }, 'the option version of startSandbox must be a number, not "18"'],
    [{ durable: 'yes' }, 'the option durable of startSandbox must be true or false, not "yes"'],
    [
      { parameters: ['work_mem=8MB'] },
      "the option parameters of startSandbox must be an object of texts, such as { work_mem: '8MB' }, not an array",
    ],
    [{ parameters: { max_connections: 50 } }, 'the parameter max_connections of a sandbox must be a text, not 50'],
    [{ signal: {} }, 'the option signal of startSandbox must be an AbortSignal, not an object'],
    [{ onEvent: 'x\n'.repeat(100) }, expect.stringMatching(/^the option onEvent .* must be a function, not ".*…"$/)],
  ])('may not be %j', (options, message) => {
    expect(refused(options)).toMatchObject({ code: 'bad-value', message })
  })

  it.each([
    ['replica', 'did you mean replicas?'],
    ['Parameter', 'did you mean parameters?'],
    ['postgresql', 'its options are replicas, name, version, durable, parameters, signal'],
    ['constructor', 'its options are replicas, name, version, durable, parameters, signal'],
  ])('are no others: %s', (key, hint) => {
    const message = `startSandbox has no option ${JSON.stringify(key)}`
    expect(refused({ [key]: 1 })).toMatchObject({ code: 'bad-usage', message, hint })
  })
})
