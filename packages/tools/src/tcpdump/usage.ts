/** What `tcpdump --version` says. */
export const VERSION = 'tcpdump of @vnet/tools, after tcpdump version 4.99\n'

/** How to use it, as `tcpdump -h` and a wrong option show. */
export const USAGE = `Usage: tcpdump [-AbDefhHKlLnNOpqStuUvxX#] [ -c count ] [ -i interface ]
		[ --immediate-mode ] [ --micro ] [ --nano ] [ --number ]
		[ -Q in|out|inout ] [ -s snaplen ] [ --version ]
		[ -w file ] [ -y datalinktype ] [ expression ]
`
