import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addTail, isLinked, NapiNode, spliceTail, unlink } from '../src/list.ts'

function contents(head: NapiNode): NapiNode[] {
  const forward: NapiNode[] = []
  for (let n = head.next; n !== head; n = n.next) forward.push(n)
  const back: NapiNode[] = []
  for (let n = head.prev; n !== head; n = n.prev) back.unshift(n)
  expect(back).toEqual(forward)
  return forward
}

describe('the intrusive list', () => {
  it('behaves as arrays do', () => {
    const move = fc.record({
      op: fc.constantFrom('add', 'unlink', 'splice'),
      node: fc.nat(5),
      list: fc.nat(2),
    })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const nodes = Array.from({ length: 6 }, () => new NapiNode(null))
        const heads = Array.from({ length: 3 }, () => new NapiNode(null))
        const model: NapiNode[][] = [[], [], []]
        for (const { op, node: i, list } of moves) {
          const node = nodes[i]!
          const to = (list + 1) % 3
          if (op === 'splice') {
            spliceTail(heads[list]!, heads[to]!)
            model[to]!.push(...model[list]!.splice(0))
          } else if (op === 'add' && !isLinked(node)) {
            addTail(heads[list]!, node)
            model[list]!.push(node)
          } else if (op === 'unlink') {
            unlink(node)
            for (const m of model) if (m.includes(node)) m.splice(m.indexOf(node), 1)
          }
          for (let h = 0; h < 3; h++) {
            expect(contents(heads[h]!).map((n) => nodes.indexOf(n))).toEqual(
              model[h]!.map((n) => nodes.indexOf(n)),
            )
          }
        }
      }),
    )
  })
})
