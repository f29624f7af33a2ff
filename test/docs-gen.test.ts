import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { publicNames } from '../scripts/docs/exports.mjs'
import { splitKernel } from '../scripts/docs/pages.mjs'
import { readRules, ruleSites, ruleTests } from '../scripts/docs/rules.mjs'

const folder = mkdtempSync(join(tmpdir(), 'vnet-docs-'))
mkdirSync(join(folder, 'src'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function put(name: string, text: string): string {
  const file = join(folder, 'src', name)
  writeFileSync(file, text)
  return file
}

describe('the generated pages', () => {
  it('read 192 rules, each with a sentence', () => {
    const rules = readRules().flatMap((section) => section.rules)
    expect(new Set(rules.map(({ id }) => id)).size).toBe(192)
    expect(rules.filter(({ sentence }) => sentence.length < 20)).toEqual([])
  })

  it('follow the exports of index.ts, not those of inner files', () => {
    put('index.ts', `export { skbPut, Rtnl } from './skb.ts'\nexport * from './names.ts'`)
    put(
      'names.ts',
      `/** A table. @kernel none */\nexport const TABLE = { A: 1 } as const\nexport const arrow = () => 1`,
    )
    put(
      'skb.ts',
      `/**
        * Adds data.
        * @kernel skb_put() include/linux/skbuff.h
        * @rule SKB-01 SKB-02
        */
       export function skbPut(): void {}
       export function inner(): void {}
       /** A lock. @kernel rtnl_mutex net/core/rtnetlink.c */
       export class Rtnl {
         /** Takes it. @kernel rtnl_lock() net/core/rtnetlink.c @rule CTX-01 */
         lock(): void {}
       }`,
    )
    const names = publicNames({ folder })
    expect(names.map(({ name, kind, doc }) => [name, kind, doc?.kernel ?? [], doc?.rules ?? []])).toEqual([
      ['Rtnl', 'class', ['rtnl_mutex net/core/rtnetlink.c'], []],
      ['Rtnl.lock', 'member', ['rtnl_lock() net/core/rtnetlink.c'], ['CTX-01']],
      ['TABLE', 'object', ['none'], []],
      ['arrow', 'function', [], []],
      ['skbPut', 'function', ['skb_put() include/linux/skbuff.h'], ['SKB-01', 'SKB-02']],
    ])
  })

  it('split a kernel name from its files', () => {
    expect(splitKernel('struct napi_struct include/linux/netdevice.h')).toEqual({
      name: 'struct napi_struct',
      files: ['include/linux/netdevice.h'],
    })
  })

  it('tell a reported rule from a kept one, and an interface keeps nothing', () => {
    const file = put(
      'sites.ts',
      `/** Keeps it. @rule TXQ-12 */
       function order(): void {}
       class Queue {
         stop(): void { kernel.warnOn('TXQ-01', 'full') }
       }
       interface Ops {
         /** @rule WDT-03 */
         ndoTxTimeout(): void
       }`,
    )
    expect(ruleSites(file).map(({ id, how, where }) => [id, how, where])).toEqual([
      ['TXQ-12', 'keeps', 'order'],
      ['TXQ-01', 'reports', 'Queue.stop'],
    ])
  })

  it('find tests by the ids their titles start with', () => {
    const file = put(
      'x.test.ts',
      `describe('TXQ-05 stop', () => {
         it('looks again', () => {})
         it.each([1])('TXQ-06, TXQ-07 in order %d', () => {})
       })
       it(\`NAPI-05 returns \${budget}\`, () => {})
       it('says TXQ-09 later', () => {})`,
    )
    expect(ruleTests(file).map(({ id, title }) => [id, title])).toEqual([
      ['TXQ-05', 'looks again'],
      ['TXQ-05', 'in order %d'],
      ['TXQ-06', 'in order %d'],
      ['TXQ-07', 'in order %d'],
      ['NAPI-05', 'returns …'],
    ])
  })
})
