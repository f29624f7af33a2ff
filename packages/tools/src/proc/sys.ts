/** Closes a descriptor: its connection ends. The only operation that is no request to the machine. @kernel none */
export const SYS_CLOSE = -1
