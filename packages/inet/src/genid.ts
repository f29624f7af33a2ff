/**
 * Counts what may change a way: routes, addresses, neighbours, devices, settings. What was looked up under another
 * number is to be looked up again.
 *
 * @kernel rt_genid_bump_all() include/net/net_namespace.h
 */
export class RtGenid {
  value = 0

  bump(): void {
    this.value++
  }
}
