import type { CatalogNames } from './catalog-names.js'

/** A database in which nothing was made but plain tables, but for what is given. */
export function namesWith(made: Partial<CatalogNames> = {}): CatalogNames {
  return {
    relations: new Map([['pg_stat_activity', 'view']]),
    functions: new Set(),
    notations: new Set(['pg_sleep', 'nextval', 'current_setting']),
    operators: new Set(),
    extensionFunctions: new Set(),
    extensionOperators: new Set(),
    safeTypes: new Set(),
    unsafeTypes: new Set(),
    unnamed: [],
    standardStrings: true,
    ...made,
  }
}
