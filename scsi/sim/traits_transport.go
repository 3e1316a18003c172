package sim

import (
	"fmt"

	"spindle/scsi"
)

// transportTraits are about what adapters, bridges and buses do to a command.
func transportTraits() []traitKind {
	return []traitKind{
		{"residual-on-write", argument{}, always(hooks{after: func(_ *Drive, x *exchange) {
			if x.isWrite() && x.err == nil {
				x.n = max(0, x.n-bogusResidual)
			}
		}})},
		{"short-read-stale", argument{name: "NTH", low: 1, high: 1 << 20, usual: 8}, staleRead},
		{"cut-mod-1024", argument{}, always(hooks{after: func(_ *Drive, x *exchange) {
			if x.Direction == scsi.In && x.n%1024 >= 512 {
				x.n -= x.n % 512
			}
		}})},
		{"transfer-limit", argument{name: "BYTES", low: 2048, high: 1 << 20, usual: 64 << 10}, func(a traitArg) hooks {
			return hooks{before: func(d *Drive, x *exchange) bool { return len(x.Data) > a.n && d.hang(x) }}
		}},
		{"buffer-capacity-transport-error", argument{}, always(hooks{before: func(_ *Drive, x *exchange) bool {
			return x.op == scsi.OpReadBufferCapacity && x.answer(fmt.Errorf("%s: %w", x.op, scsi.ErrTransport))
		}})},
		{"get-configuration-takes", secondsArgument(45), func(a traitArg) hooks {
			return hooks{before: func(d *Drive, x *exchange) bool {
				if x.op != scsi.OpGetConfiguration {
					return false
				}
				if seconds(float64(a.n)) > x.limit() {
					return d.hang(x)
				}
				d.clock.advance(seconds(float64(a.n)))
				return false
			}}
		}},
	}
}

// secondsArgument is an argument in seconds.
func secondsArgument(usual int) argument {
	return argument{name: "SECONDS", low: 1, high: 3600, usual: usual}
}

// bogusResidual is how many bytes of a write an adapter says it did not transfer,
// though it did: as an IDE layer of Linux 2.6 did under cdrdao.
const bogusResidual = 104

// isWrite reports whether a command writes sectors.
func (x *exchange) isWrite() bool {
	switch x.op {
	case scsi.OpWrite10, scsi.OpWrite12, scsi.OpWriteAndVerify10:
		return true
	}
	return false
}

// staleRead ends every Nth read of several sectors early, and says that all came:
// behind the middle the buffer is what it was.
func staleRead(a traitArg) hooks {
	count := 0
	var before []byte
	return hooks{
		before: func(_ *Drive, x *exchange) bool {
			before = before[:0]
			if _, n := x.sectorsOrNone(); n < 2 {
				return false
			}
			if count++; count%a.n == 0 {
				before = append(before, x.Data...)
			}
			return false
		},
		after: func(_ *Drive, x *exchange) {
			if len(before) > 0 && x.err == nil {
				copy(x.Data[x.n/2:x.n], before[x.n/2:])
			}
		},
	}
}
