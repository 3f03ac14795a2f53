import type { Finding } from '../../cluster/finding.js'
import { integerParameter, integerParameters } from '../integer-parameter.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'

/** The parameters that other rules count with are whole numbers. */
export const wholeNumbers: Rule = {
  name: 'whole-numbers',
  why: 'PostgreSQL does not start with a value that is no number where it takes one.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node) => {
      const wrong = integerParameters.filter((name) => integerParameter(node, name) === undefined)
      return wrong.map(
        (name): Finding => ({
          rule: 'whole-numbers',
          severity: 'error',
          message: `\`${name}\` must be a whole number, not ${JSON.stringify(node.parameters[name])}`,
          hint: undefined,
          place: parameterPlace(view, node, name),
        }),
      )
    })
  },
}
