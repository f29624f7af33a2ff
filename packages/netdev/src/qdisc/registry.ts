import { Errno } from '@vnet/kernel'
import type { Kernel } from '@vnet/kernel'
import { netOf } from '../net.ts'
import type { QdiscOps } from './qdisc.ts'

/**
 * Makes a queueing discipline known under its name, so that tc can set it up.
 *
 * @throws Errno EEXIST
 * @kernel register_qdisc() net/sched/sch_api.c
 */
export function registerQdisc(kernel: Kernel, ops: QdiscOps): void {
  const { qdiscOps } = netOf(kernel)
  if (qdiscOps.has(ops.id)) throw new Errno('EEXIST')
  qdiscOps.set(ops.id, ops)
}

/** Forgets a queueing discipline. @kernel unregister_qdisc() net/sched/sch_api.c */
export function unregisterQdisc(kernel: Kernel, ops: QdiscOps): void {
  if (!netOf(kernel).qdiscOps.delete(ops.id)) throw new Errno('ENOENT')
}

/** The discipline of a name, or undefined. @kernel qdisc_lookup_ops() net/sched/sch_api.c */
export function qdiscLookup(kernel: Kernel, id: string): QdiscOps | undefined {
  return netOf(kernel).qdiscOps.get(id)
}

/** The discipline a queue gets when nobody chose one: `net.core.default_qdisc`. @kernel default_qdisc_ops net/sched/sch_generic.c */
export function defaultQdisc(kernel: Kernel): QdiscOps {
  return netOf(kernel).defaultQdisc
}

/** Sets the default discipline by name. @throws Errno ENOENT @kernel qdisc_set_default() net/sched/sch_api.c */
export function setDefaultQdisc(kernel: Kernel, id: string): void {
  const net = netOf(kernel)
  const ops = net.qdiscOps.get(id)
  if (ops === undefined) throw new Errno('ENOENT')
  net.defaultQdisc = ops
}
