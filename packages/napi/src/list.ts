import type { NapiStruct } from './napi-struct.ts'

/**
 * A node of a circular list, linked in place so that queueing allocates nothing. A node alone is its own neighbour.
 *
 * @kernel struct list_head include/linux/types.h
 */
export class NapiNode {
  declare next: NapiNode
  declare prev: NapiNode
  /** Null at a list's head. */
  declare readonly napi: NapiStruct | null

  constructor(napi: NapiStruct | null) {
    this.next = this
    this.prev = this
    this.napi = napi
  }
}

/** True when the node is in a list; for a head, when the list is not empty. */
export function isLinked(node: NapiNode): boolean {
  return node.next !== node
}

/** Puts `node`, which is in no list, at the end. */
export function addTail(head: NapiNode, node: NapiNode): void {
  const last = head.prev
  node.next = head
  node.prev = last
  last.next = node
  head.prev = node
}

/** Takes the node out of whatever list it is in. */
export function unlink(node: NapiNode): void {
  node.prev.next = node.next
  node.next.prev = node.prev
  node.next = node
  node.prev = node
}

/** Moves all of `from` to the end of `to`. */
export function spliceTail(from: NapiNode, to: NapiNode): void {
  if (!isLinked(from)) return
  const first = from.next
  const last = from.prev
  const end = to.prev
  end.next = first
  first.prev = end
  last.next = to
  to.prev = last
  from.next = from
  from.prev = from
}
