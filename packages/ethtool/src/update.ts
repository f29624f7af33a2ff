import { Errno } from '@vnet/kernel'
import type { NetDevice } from '@vnet/netdev'

/** How the settable fields of a record are called in a request: what a refusal names. */
export type AttrNames<T> = { readonly [K in keyof T]?: string }

/**
 * Merges a request into the current state.
 *
 * Fields that are absent or `undefined` are not mentioned and stay; so a boolean has three states.
 *
 * @returns the new state, or null when nothing differs
 * @throws Errno ERANGE with the attribute when a number is no u32
 * @kernel ethnl_update_u32() net/ethtool/netlink.h
 * @rule ETH-02 ETH-03 ETH-15
 */
export function ethnlUpdate<T extends object>(
  current: T,
  change: { readonly [K in keyof T]?: T[K] | undefined },
  attrs: AttrNames<T>,
): T | null {
  const next = { ...current }
  let changed = false
  for (const key of Object.keys(attrs) as (keyof T)[]) {
    const value = change[key] as T[keyof T] | undefined
    if (value === undefined) continue
    if (typeof value === 'number') checkU32(value, attrs[key])
    if (value !== current[key]) changed = true
    next[key] = value
  }
  return changed ? next : null
}

/** Refuses what does not fit into a u32 attribute. @kernel netlink_policy_strict lib/nlattr.c */
export function checkU32(value: number, attr?: string): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new Errno('ERANGE', 'integer out of range', attr)
  }
}

/**
 * Reports a driver whose `get` does not return what was just set.
 *
 * @kernel none
 * @rule ETH-09
 */
export function checkReadBack<T extends object>(
  dev: NetDevice<any>,
  what: string,
  wanted: T,
  now: T,
  attrs: AttrNames<T>,
): void {
  for (const key of Object.keys(attrs) as (keyof T)[]) {
    if (now[key] === wanted[key]) continue
    const text = `${what} ${attrs[key]} was set to ${String(wanted[key])} and reads ${String(now[key])}`
    dev.kernel.warnOn('ETH-09', `${dev.name}: ${text}`)
  }
}
