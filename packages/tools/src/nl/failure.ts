import { strerror } from '@vnet/kernel'

/**
 * A request the kernel refused: the error number, its sentence and where in the request it points.
 *
 * @kernel struct nlmsgerr include/uapi/linux/netlink.h
 */
export class NlFailure extends Error {
  /** Negative; 0 when the answer was no netlink at all. */
  readonly errno: number
  readonly extack: string | undefined
  readonly offset: number | undefined

  constructor(errno: number, extack?: string, offset?: number) {
    super(extack ?? strerror(errno))
    this.name = 'NlFailure'
    this.errno = errno
    this.extack = extack
    this.offset = offset
  }
}

/** An answer that cannot be one: the tool says so and ends. @kernel none */
export class NlGarbage extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NlGarbage'
  }
}
