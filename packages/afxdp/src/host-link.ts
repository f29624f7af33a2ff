import { ifFlags, IFF, LinkMonitor, type Netns } from '@vnet/linux'

/** The link of the host's interface, as the host tells of it. */
export class HostLink {
  #running: boolean
  readonly #monitor: LinkMonitor

  /** @param changed - called from the host's loop when it came or went */
  constructor(ifname: string, ifindex: number, netns: Netns, changed: (running: boolean) => void) {
    const look = (): boolean => netns.run(() => (ifFlags(ifname) & IFF.RUNNING) !== 0)
    this.#running = look()
    const set = (running: boolean): void => {
      if (running === this.#running) return
      this.#running = running
      changed(running)
    }
    this.#monitor = new LinkMonitor(
      ({ kind, index, flags }) => {
        if (index === ifindex) set(kind === 'link' && (flags & IFF.RUNNING) !== 0)
      },
      () => set(look()),
      netns,
    )
  }

  get running(): boolean {
    return this.#running
  }

  close(): void {
    this.#monitor.close()
  }
}
