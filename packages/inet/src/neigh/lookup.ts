import { msecsToJiffies } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'
import { neighArmGc, neighForcedGc } from './gc.ts'
import { Neighbour } from './neighbour.ts'
import type { NeighTable } from './table.ts'

/** Finds the neighbour with the address at `off` of `key`. Allocates nothing. @kernel neigh_lookup() net/core/neighbour.c */
export function neighLookup(
  table: NeighTable,
  key: Uint8Array,
  dev: NetDevice<any>,
  off = 0,
): Neighbour | null {
  table.stats.lookups++
  const { keyLen } = table.ops
  const hash = keyHash(key, off, keyLen, dev.ifindex)
  let n: Neighbour | null = table.buckets[hash & (table.buckets.length - 1)]!
  for (; n !== null; n = n.next) {
    if (n.hash === hash && n.dev === dev && sameKey(n.primaryKey, key, off, keyLen)) {
      table.stats.hits++
      return n
    }
  }
  return null
}

/**
 * Makes a neighbour in state NONE; the address is copied. One that is there is returned.
 *
 * @param exempt - it does not count against the table's size, as permanent ones
 * @returns null when the table is full or the family refuses
 * @kernel __neigh_create() net/core/neighbour.c
 */
export function neighCreate(
  table: NeighTable,
  key: Uint8Array,
  dev: NetDevice<any>,
  off = 0,
  exempt = false,
): Neighbour | null {
  const there = neighLookup(table, key, dev, off)
  if (there !== null) return there
  if (!exempt && !hasRoom(table)) return null
  const { keyLen } = table.ops
  const hash = keyHash(key, off, keyLen, dev.ifindex)
  const neigh = new Neighbour(table, key.slice(off, off + keyLen), dev, hash)
  if (!table.ops.setup(neigh)) return null
  neigh.confirmed =
    table.kernel.clock.jiffies - msecsToJiffies(table.kernel, neigh.parms.baseReachableTime) * 2
  neigh.exemptFromGc = exempt
  link(table, neigh)
  return neigh
}

/** Finds a neighbour, or makes it. @kernel __neigh_lookup() include/net/neighbour.h */
export function neighLookupCreate(
  table: NeighTable,
  key: Uint8Array,
  dev: NetDevice<any>,
  off = 0,
): Neighbour | null {
  return neighLookup(table, key, dev, off) ?? neighCreate(table, key, dev, off)
}

function hasRoom(table: NeighTable): boolean {
  const { kernel } = table
  const entries = table.gcEntries
  const late = kernel.clock.jiffies > table.lastFlush + 5 * kernel.clock.hz
  if (entries < table.gcThresh3 && !(entries >= table.gcThresh2 && late)) return true
  if (neighForcedGc(table) > 0 || table.gcEntries < table.gcThresh3) return true
  table.stats.tableFulls++
  if (table.fullLimit.allow()) table.reportFull()
  return false
}

function link(table: NeighTable, neigh: Neighbour): void {
  if (table.entries >= table.buckets.length) grow(table)
  const slot = neigh.hash & (table.buckets.length - 1)
  neigh.next = table.buckets[slot]!
  table.buckets[slot] = neigh
  table.entries++
  table.stats.allocs++
  if (!neigh.exemptFromGc) table.gcEntries++
  neighArmGc(table)
}

function grow(table: NeighTable): void {
  const old = table.buckets
  const fresh = new Array<Neighbour | null>(old.length * 2).fill(null)
  table.buckets = fresh
  table.stats.hashGrows++
  for (const first of old) {
    for (let n = first; n !== null;) {
      const { next } = n
      const slot = n.hash & (fresh.length - 1)
      n.next = fresh[slot]!
      fresh[slot] = n
      n = next
    }
  }
}

function keyHash(key: Uint8Array, off: number, len: number, ifindex: number): number {
  let hash = ifindex
  for (let i = 0; i < len; i++) hash = Math.imul(hash ^ key[off + i]!, 0x01000193)
  // The low bits choose the bucket, and have seen the last byte only weakly.
  return (hash ^ (hash >>> 15)) | 0
}

function sameKey(a: Uint8Array, b: Uint8Array, off: number, len: number): boolean {
  for (let i = 0; i < len; i++) if (a[i] !== b[off + i]) return false
  return true
}
