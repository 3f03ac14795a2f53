import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.endsWith('.es.md'))
    .map((path) => join('docs', path))
    .toSorted(),
]

const text = (page: string): string => readFileSync(join(root, page), 'utf8')
const spanish = (page: string): string => page.replace(/\.md$/, '.es.md')
const found = (page: string, mark: RegExp): readonly string[] => text(page).match(mark) ?? []

/** The pages of this repository that a page links to, from the root; not the one in the other language, of its first lines. */
function linksOf(page: string): readonly string[] {
  const [, ...paragraphs] = text(page).split(/^\*\[(?:En español|In English)\].*$/m)
  const links = paragraphs.join('\n').matchAll(/\]\(([^)#:]+\.md)(?:#[^)]*)?\)/g)
  return [...links].map(([, link = '']) => relative(root, join(root, dirname(page), link))).toSorted()
}

describe.each(pages)('%s', (page) => {
  it('has a page in Spanish, and each leads to the other', () => {
    expect(text(page)).toContain(`[En español](${basename(spanish(page))})`)
    expect(text(spanish(page))).toContain(`[In English](${basename(page)})`)
  })

  it('says in Spanish what it says in English: the same headings, blocks, rows, points and numbers of rules', () => {
    for (const mark of [/^#+ /gm, /^```.*$/gm, /^\|/gm, /^ *(?:[-*]|\d+\.) (?:[WTRS]\d+ )?/gm]) {
      expect(found(spanish(page), mark)).toEqual(found(page, mark))
    }
  })

  it('leads in Spanish to pages in Spanish, where there are any, and to nothing that is not there', () => {
    const links = linksOf(page)
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([])
    const inSpanish = links.map((link) => (pages.includes(link) ? spanish(link) : link))
    expect(linksOf(spanish(page))).toEqual(inSpanish.toSorted())
  })
})

it.each(['docs/read-contract.md', 'docs/decisions/0001-what-carries-writes-and-reads.md'])(
  '%s: names in both languages the same things in code',
  (page) => {
    // A submittable has no name in Spanish: it is an object with `submit`.
    const [english, other] = [page, spanish(page)].map((each) =>
      found(each, /`[^`\n]+`/g)
        .filter((code) => code !== '`submit`')
        .toSorted(),
    )
    expect(other).toEqual(english)
  },
)
