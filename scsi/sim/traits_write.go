package sim

import (
	"encoding/binary"
	"slices"
	"time"

	"spindle/scsi"
)

// writeTraits are about what happens while a disc is written and closed.
func writeTraits() []traitKind {
	nth := func(usual int) argument { return argument{name: "NTH", low: 1, high: 1 << 20, usual: usual} }
	return []traitKind{
		{"slow-lead-in", secondsArgument(45), slowLeadIn},
		{"short-write-hidden", nth(10), shortWrite},
		{"sequence-error-in-write", nth(10), sequenceError},
		{"aborted-command-in-write", nth(10), func(a traitArg) hooks {
			return onNthWrite(a.n, fail(scsi.AbortedCommand, scsi.ASCParityError, 0))
		}},
		{"refuses-after-write-error", argument{}, refusesAfterError},
		{"synchronize-never-ends", argument{}, synchronizeForEver},
		{"opc-refused", argument{}, always(hooks{before: failCalibration})},
		{"cdtext-refused", argument{}, refuseText(func([]byte) bool { return true })},
		{"cdtext-at-zero-only", argument{}, refuseText(func(lead []byte) bool { return leadInAt(lead) != 0 })},
		{"cdtext-at-lead-in-only", argument{}, refuseText(func(lead []byte) bool { return leadInAt(lead) == 0 })},
		{"cdtext-block-type-3-only", argument{}, refuseWhere(scsi.OpSendCueSheet, errParams, func(d *Drive, x *exchange) bool {
			return textLeadIn(x.Data) != nil && d.rec.page.blockType() != 3
		})},
		{"isrc-control-refused", argument{}, refuseWhere(scsi.OpSendCueSheet, errParams, func(_ *Drive, x *exchange) bool {
			return hasCode(x.Data)
		})},
		{"last-session-refused", argument{}, refuseWhere(scsi.OpModeSelect10, errParams, func(_ *Drive, x *exchange) bool {
			return len(x.Data) > 11 && x.Data[8]&0x3F == pageWrite && x.Data[11]>>6 == 1
		})},
		{"cue-sheet-limit", argument{name: "BYTES", low: 64, high: maxCueSheet, usual: 3072}, cueSheetLimit},
		{"close-refused-after-test-write", argument{}, refuseWhere(scsi.OpCloseTrackSession, errPhase, func(d *Drive, _ *exchange) bool {
			return d.rec.test != nil || d.rec.page.testWrite()
		})},
		{"close-000-sequence-error", argument{}, refuseWhere(scsi.OpCloseTrackSession, errPhase, func(_ *Drive, x *exchange) bool {
			return x.CDB[2]&7 == closeBackground
		})},
		{"mcn-from-cue-sheet-only", argument{}, always(hooks{before: func(d *Drive, x *exchange) bool {
			if x.isWrite() && d.rec.cue != nil {
				d.rec.page[16] &^= 0x80
			}
			return false
		}})},
	}
}

// recordedTraits are about what a recorder loses while it burns and says that all
// is well.
func recordedTraits() []traitKind {
	drop := func(name string, what func(*State)) traitKind {
		return traitKind{name, argument{}, always(hooks{recorded: what})}
	}
	eachTrack := func(what func(*TrackState)) func(*State) {
		return func(st *State) {
			for i := range st.Sessions {
				for j := range st.Sessions[i].Tracks {
					what(&st.Sessions[i].Tracks[j])
				}
			}
		}
	}
	return []traitKind{
		drop("drops-mcn", func(st *State) { st.MCN = "" }),
		drop("drops-cdtext", func(st *State) { st.CDText = nil }),
		drop("drops-isrc", eachTrack(func(t *TrackState) { t.ISRC = "" })),
		drop("drops-indexes", eachTrack(func(t *TrackState) { t.Indexes = nil })),
		{"writes-nothing-with-cdtext", argument{}, always(hooks{before: func(d *Drive, x *exchange) bool {
			// As in a test: the disc is afterwards what it was.
			if x.isWrite() && d.rec.cue != nil && !d.rec.cue.begun && d.rec.cue.leadIn>>6 != 0 && d.rec.test == nil {
				st := d.disc.st.clone()
				d.rec.test = &st
			}
			return false
		}})},
	}
}

// failedCalibration is how long a drive calibrated in vain (reports: 8 to 110 s).
const failedCalibration = 14700 * time.Millisecond

// failCalibration answers SEND OPC INFORMATION with an error, late.
func failCalibration(d *Drive, x *exchange) bool {
	if x.op != scsi.OpSendOPC {
		return false
	}
	d.clock.advance(failedCalibration)
	return x.answer(fail(scsi.MediumError, scsi.ASCCDControl, scsi.ASCQCalibrationAreaError))
}

// textLeadIn is the lead-in in a cue sheet, where it has CD-TEXT; nil otherwise.
func textLeadIn(sheet []byte) []byte {
	for e := range slices.Chunk(sheet, 8) {
		if len(e) == 8 && e[0]&15 == 1 && e[1] == 0 && e[3]>>6 != 0 {
			return e
		}
	}
	return nil
}

// hasCode reports whether a cue sheet has a recording code with a control field.
func hasCode(sheet []byte) bool {
	for e := range slices.Chunk(sheet, 8) {
		if e[0]&15 == 3 && e[0]>>4 != 0 {
			return true
		}
	}
	return false
}

// leadInAt is the time that a lead-in is announced at.
func leadInAt(entry []byte) int { return int(entry[5])<<16 | int(entry[6])<<8 | int(entry[7]) }

// refuseText refuses cue sheets with CD-TEXT whose lead-in it does not like.
func refuseText(bad func(lead []byte) bool) func(traitArg) hooks {
	return refuseWhere(scsi.OpSendCueSheet, errParams, func(_ *Drive, x *exchange) bool {
		lead := textLeadIn(x.Data)
		return lead != nil && bad(lead)
	})
}

// cueSheetLimit states how long a cue sheet can be, and refuses longer ones.
func cueSheetLimit(a traitArg) hooks {
	return hooks{
		before: func(_ *Drive, x *exchange) bool {
			return x.op == scsi.OpSendCueSheet && len(x.Data) > a.n && x.answer(badField(6))
		},
		features: func(_ *Drive, all [][]byte) [][]byte {
			for _, f := range all {
				if binary.BigEndian.Uint16(f) == 0x002E {
					f[5], f[6], f[7] = byte(a.n>>16), byte(a.n>>8), byte(a.n)
				}
			}
			return all
		},
	}
}

// onNthWrite fails one WRITE, which takes nothing.
func onNthWrite(n int, err error) hooks {
	count := 0
	return hooks{before: func(_ *Drive, x *exchange) bool {
		if !x.isWrite() {
			return false
		}
		count++
		return count == n && x.answer(err)
	}}
}

// refusesAfterError refuses every WRITE after one that failed.
func refusesAfterError(traitArg) hooks {
	failed := false
	return hooks{
		before: func(_ *Drive, x *exchange) bool { return failed && x.isWrite() && x.answer(errReadOnly) },
		after: func(_ *Drive, x *exchange) {
			failed = x.op != scsi.OpStartStopUnit && (failed || x.isWrite() && x.err != nil)
		},
	}
}

// synchronizeForEver says for ever that the drive is writing, once SYNCHRONIZE
// CACHE has come, though all is on the disc.
func synchronizeForEver(traitArg) hooks {
	writing := false
	return hooks{
		before: func(d *Drive, x *exchange) bool {
			switch x.op {
			case scsi.OpTestUnitReady, scsi.OpSynchronizeCache, scsi.OpCloseTrackSession:
			case scsi.OpStartStopUnit:
				writing = false
				return false
			default:
				return false
			}
			// The work itself comes to its end.
			return writing && d.finishOperation() == nil && x.answer(fail(scsi.NotReady, scsi.ASCNotReady, scsi.ASCQLongWrite))
		},
		after: func(_ *Drive, x *exchange) { writing = writing || x.op == scsi.OpSynchronizeCache && x.err == nil },
	}
}

// sequenceError fails every WRITE from the Nth on, until SYNCHRONIZE CACHE comes;
// that one ends nothing.
func sequenceError(a traitArg) hooks {
	count, stuck := 0, false
	return hooks{before: func(d *Drive, x *exchange) bool {
		switch {
		case x.isWrite():
			count++
			stuck = stuck || count == a.n
			return stuck && x.answer(errPhase)
		case x.op == scsi.OpSynchronizeCache && stuck:
			stuck = false
			d.drain()
			d.clock.advance(d.flush())
			return x.answer(nil)
		}
		return false
	}}
}

// shortWrite takes half of the Nth WRITE, and says that it took all.
func shortWrite(a traitArg) hooks {
	count := 0
	return hooks{before: func(d *Drive, x *exchange) bool {
		if !x.isWrite() {
			return false
		}
		_, n := x.sectors()
		if count++; count != a.n || n < 2 {
			return false
		}
		half := *x.Command
		half.CDB = slices.Clone(x.CDB)
		if x.op == scsi.OpWrite12 {
			binary.BigEndian.PutUint32(half.CDB[6:], uint32(n/2))
		} else {
			binary.BigEndian.PutUint16(half.CDB[7:], uint16(n/2))
		}
		x.n, x.err = d.dispatch(&half)
		if x.err == nil {
			x.n = len(x.Data)
		}
		return true
	}}
}

// slowLeadIn holds every command while the drive is busy with a lead-in, a
// lead-out or a calibration. When the host does not wait so long, it resets the
// drive.
func slowLeadIn(a traitArg) hooks {
	takes := seconds(float64(a.n))
	var until, laser time.Duration
	var op *operation
	return hooks{
		before: func(d *Drive, x *exchange) bool {
			if x.op == scsi.OpSendOPC && x.CDB[1]&1 != 0 {
				until = x.began + takes
			}
			hold := until - x.began
			switch {
			case hold <= 0:
				return false
			case hold > x.limit():
				until = 0
				return d.hang(x)
			}
			d.clock.advance(hold)
			return false
		},
		after: func(d *Drive, x *exchange) {
			begins := d.rec.buffer.laser > laser // the laser warms up for a track
			ends := d.rec.op != nil && d.rec.op != op && (x.op == scsi.OpSynchronizeCache || x.op == scsi.OpCloseTrackSession)
			laser, op = d.rec.buffer.laser, d.rec.op
			if begins || ends {
				until = d.clock.elapsed() + takes
			}
			if begins {
				laser = max(laser, until)
				d.rec.buffer.laser = laser
			}
		},
	}
}
