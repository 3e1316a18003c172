package sim

import (
	"encoding/binary"
	"slices"

	"spindle/disc"
	"spindle/scsi"
)

// configurationTraits are about what a drive says that it can do.
func configurationTraits() []traitKind {
	return []traitKind{
		{"no-get-configuration", argument{}, always(hooks{
			before: refuse(scsi.OpGetConfiguration, errOpcode).before, page: cdOnly,
		})},
		{"set-streaming-refused", argument{}, always(refuse(scsi.OpSetStreaming, fail(scsi.IllegalRequest, scsi.ASCAddressOutOfRange, 0)))},
		{"no-session-at-once-feature", argument{}, always(hooks{features: func(_ *Drive, all [][]byte) [][]byte {
			return slices.DeleteFunc(all, func(f []byte) bool { return binary.BigEndian.Uint16(f) == 0x002E })
		}})},
		{"no-performance", argument{}, always(hooks{after: func(_ *Drive, x *exchange) {
			if x.op == scsi.OpGetPerformance && x.err == nil {
				clear(x.Data[:x.n])
			}
		}})},
		{"mode-select-wants-zero-length", argument{}, refuseWhere(scsi.OpModeSelect10, errParams, func(_ *Drive, x *exchange) bool {
			return len(x.Data) >= 2 && x.Data[0]|x.Data[1] != 0
		})},
		{"dvd-drive", argument{}, always(hooks{ready: noBD, features: withoutBD})},
		{"features-not-current-on-closed-rw", argument{}, always(hooks{features: func(d *Drive, all [][]byte) [][]byte {
			if d.disc == nil || !d.disc.st.Final || !d.disc.kind.profile.rewritable() {
				return all
			}
			for _, f := range all {
				if code := binary.BigEndian.Uint16(f); code >= 0x0020 && code < 0x0040 {
					f[2] &^= 1
				}
			}
			return all
		}})},
	}
}

// cdOnly takes what is about DVD out of the capabilities: a drive that old reads CDs.
func cdOnly(_ *Drive, page []byte) {
	if page[0]&0x3F == 0x2A {
		page[2], page[3] = page[2]&0x07, page[3]&0x07
	}
}

// refuse ends each command of an opcode with an error.
func refuse(op scsi.Opcode, err error) hooks {
	return hooks{before: func(_ *Drive, x *exchange) bool { return x.op == op && x.answer(err) }}
}

// noBD is a drive without a blue laser.
func noBD(d *Drive) error {
	if d.loaded() && d.media.medium() == disc.BD && d.clock.elapsed() >= d.readyAt {
		return fail(scsi.NotReady, scsi.ASCIncompatibleMedium, 0)
	}
	return nil
}

// withoutBD takes what is about BD out of the features and the list of profiles.
func withoutBD(_ *Drive, all [][]byte) [][]byte {
	all = slices.DeleteFunc(all, func(f []byte) bool {
		code := binary.BigEndian.Uint16(f)
		return code == 0x0038 || code == 0x0040 || code == 0x0041
	})
	for i, f := range all {
		if binary.BigEndian.Uint16(f) != 0x0000 {
			continue
		}
		var list []byte
		for p := range slices.Chunk(f[4:], 4) {
			if profile(binary.BigEndian.Uint16(p)).medium() != disc.BD {
				list = append(list, p...)
			}
		}
		all[i] = feature(0x0000, true, true, list...)
	}
	return all
}
