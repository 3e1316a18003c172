package sim

import (
	"encoding/binary"
	"time"

	"spindle/disc"
	"spindle/scsi"
)

// Types of BLANK (MMC-6 table 229).
const (
	blankAll       = 0
	blankMinimal   = 1
	blankTrack     = 2
	blankUnreserve = 3
	blankTail      = 4
	blankUnclose   = 5
	blankSession   = 6
)

// blankDisc is BLANK (MMC-6 6.2).
func (d *Drive) blankDisc(c *scsi.Command) error {
	if err := d.writable(); err != nil {
		return err
	}
	r := d.disc
	switch r.kind.profile {
	case profileCDRW, profileDVDRW, profileDVDRWRO:
	default:
		return fail(scsi.IllegalRequest, scsi.ASCIncompatibleMedium, scsi.ASCQApplicationCodeMismatch) // cannot blank: it cannot be erased
	}
	kind, at := c.CDB[1]&7, disc.LBA(int32(binary.BigEndian.Uint32(c.CDB[2:])))
	if r.kind.profile != profileCDRW && kind > blankMinimal {
		return badField(1)
	}
	takes, done, err := d.blankWork(kind, at)
	if err != nil {
		return err
	}
	d.flush()
	d.rec.cue, d.rec.raw, d.rec.late = nil, nil, nil
	return d.start(c.CDB[1]&0x10 != 0, takes, scsi.ASCQOperationInProgress, done)
}

// blankWork is what a type of blanking does, and how long it takes.
func (d *Drive) blankWork(kind byte, at disc.LBA) (takes time.Duration, done func() error, err error) {
	switch kind {
	case blankAll:
		whole := seconds(float64(d.disc.st.Capacity) / d.mech.base / d.writeSpeed())
		return whole, func() error { return d.erase(false) }, nil
	case blankMinimal:
		return minimalBlank, func() error { return d.erase(true) }, nil
	case blankTrack, blankUnreserve, blankTail:
		if t := d.blankableTrack(kind, at); t != nil {
			return minimalBlank, func() error { return d.blankTrackOnly(kind, t, at) }, nil
		}
		return 0, nil, badField(2)
	case blankUnclose, blankSession:
		if s := d.disc.last(); s != nil && (kind == blankSession || s.Closed) {
			return minimalBlank, func() error { return d.blankLastSession(kind, s) }, nil
		}
	}
	return 0, nil, badField(1)
}

// blankTrackOnly blanks the last track, or its end.
func (d *Drive) blankTrackOnly(kind byte, t *TrackState, at disc.LBA) error {
	if kind == blankTail {
		t.Next, t.Closed, t.RunOut, t.End = at, false, 0, 0
	} else {
		s := d.disc.open()
		s.Tracks = s.Tracks[:len(s.Tracks)-1]
	}
	d.changed()
	return nil
}

// blankLastSession opens the last session again, or takes it away.
func (d *Drive) blankLastSession(kind byte, s *SessionState) error {
	st := &d.disc.st
	st.Final, st.NextFF, st.Spoiled = false, false, false
	if kind == blankUnclose {
		s.Closed, s.LeadOut = false, 0
	} else {
		st.Sessions = st.Sessions[:len(st.Sessions)-1]
	}
	d.changed()
	return nil
}

// blankableTrack is the last track of the open session, if it can be blanked in
// this way.
func (d *Drive) blankableTrack(kind byte, at disc.LBA) *TrackState {
	s := d.disc.open()
	if s == nil || len(s.Tracks) == 0 {
		return nil
	}
	t := &s.Tracks[len(s.Tracks)-1]
	switch kind {
	case blankTail:
		if at <= t.Start || at >= t.Next {
			return nil
		}
	case blankUnreserve:
		if int(at) != t.Number || !t.Reserved || t.Next > t.Start {
			return nil
		}
	default:
		if int(at) != t.Number {
			return nil
		}
	}
	return t
}

// erase makes the disc blank. A DVD-RW is sequential again.
func (d *Drive) erase(minimal bool) error {
	r := d.disc
	r.mu.Lock()
	media := r.st.Media
	if media == "dvd-rw-ro" {
		media = "dvd-rw"
	}
	r.kind = kinds()[media]
	r.st = State{Media: media, Capacity: r.st.Capacity, Minimal: minimal}
	r.mu.Unlock()
	if err := r.store.Truncate(0); err != nil {
		d.stats.StoreError = err
		return fail(scsi.HardwareError, scsi.ASCInternalFailure, 0)
	}
	d.changed()
	d.event = 2
	return nil
}

// Format types of FORMAT UNIT and READ FORMAT CAPACITIES (MMC-6 table 305).
const (
	formatFull         = 0x00
	formatSpares       = 0x01
	formatRWFull       = 0x10
	formatRWGrow       = 0x11
	formatRWAdd        = 0x12
	formatRWQuickGrow  = 0x13
	formatRWQuickAdd   = 0x14
	formatRWQuick      = 0x15
	formatPlusRW       = 0x26
	formatBDRESpares   = 0x30
	formatBDRENoSpares = 0x31
	formatBDR          = 0x32
)

// formatUnit is FORMAT UNIT (MMC-6 6.5).
func (d *Drive) formatUnit(c *scsi.Command) (int, error) {
	if err := d.writable(); err != nil {
		return 0, err
	}
	if c.CDB[1]&0x17 != 0x11 {
		return 0, badField(1)
	}
	p := c.Data
	if len(p) < 12 || binary.BigEndian.Uint16(p[2:]) != 8 {
		return 0, errLength
	}
	immediate := p[1]&2 != 0
	kind, sub, param := p[8]>>2, p[8]&3, p[11]
	size, err := d.formatSize(kind, binary.BigEndian.Uint32(p[4:]))
	if err != nil {
		return 0, err
	}
	takes := quickFormatTime
	if kind == formatFull && d.media != profileBDR || kind == formatRWFull || sub == 2 && d.media == profileBDRE {
		takes = seconds(float64(size) / d.mech.base / d.writeSpeed()) // every sector is written
	}
	restart := d.disc.kind.profile == profilePlusRW && param&1 != 0 && d.disc.st.Format.Done
	d.flush()
	d.rec.late = nil
	err = d.start(immediate, takes, scsi.ASCQFormatInProgress, func() error { return d.formatted(kind, sub, size, restart) })
	return 12, err
}

// formatSize is the number of blocks that a format gives which is asked for with
// so many; only what READ FORMAT CAPACITIES offers is taken.
func (d *Drive) formatSize(kind byte, blocks uint32) (int, error) {
	wrong := func(at uint16) error {
		return senseError{Key: scsi.IllegalRequest, ASC: scsi.ASCInvalidFieldInParameters, Field: at, FieldInData: true, FieldValid: true}
	}
	offered := d.formats()
	if len(offered) == 0 {
		return 0, fail(scsi.IllegalRequest, scsi.ASCIncompatibleMedium, scsi.ASCQCannotFormat)
	}
	var offer *formatOffer
	for i := range offered {
		if offered[i].kind == kind && (offer == nil || uint32(offered[i].blocks) == blocks) {
			offer = &offered[i]
		}
	}
	if offer == nil {
		return 0, wrong(8)
	}
	size, ok := offer.size(blocks)
	if !ok {
		return 0, wrong(4)
	}
	return size, nil
}

// formatted is the end of FORMAT UNIT.
func (d *Drive) formatted(kind, sub byte, size int, restart bool) error {
	r := d.disc
	f := &r.st.Format
	switch r.kind.profile {
	case profileBDR:
		f.Done, f.Spares, f.POW = true, true, sub == 0
		r.st.Capacity = size
	case profileDVDRW, profileDVDRWRO:
		grow := kind == formatRWQuickGrow || kind == formatRWGrow || kind == formatRWQuickAdd || kind == formatRWAdd
		r.mu.Lock()
		if !grow {
			r.st = State{Media: r.st.Media, Capacity: r.st.Capacity}
		}
		f = &r.st.Format
		r.kind = kinds()["dvd-rw-ro"]
		f.Done = true
		f.Intermediate = kind == formatRWQuick || kind == formatRWQuickGrow || kind == formatRWQuickAdd
		switch {
		case !f.Intermediate:
			f.Blocks = size
		case !grow:
			f.Blocks = 0
		}
		r.mu.Unlock()
	case profilePlusRW:
		// The format continues in the background, and writing is allowed at once.
		*f = FormatState{Done: true, Blocks: size, Background: 2}
		if !restart {
			d.formatEnd = d.clock.elapsed() + seconds(float64(size)/d.mech.base/d.writeSpeed())
		}
	default:
		*f = FormatState{Done: true, Blocks: size, Spares: size < r.st.Capacity}
	}
	d.changed()
	d.event = 2
	return nil
}

// finishBackground completes a format in the background when its time has come.
func (d *Drive) finishBackground() {
	if d.disc == nil {
		return
	}
	if f := &d.disc.st.Format; f.Background == 2 && d.clock.elapsed() >= d.formatEnd {
		f.Background = 3
		d.changed()
	}
}

// formatOffer is a format that the disc can be given.
type formatOffer struct {
	kind   byte
	blocks int // the most
	param  uint32
	any    bool // fewer blocks can be asked for
}

// size is the number of blocks of the format when the host asks for some.
func (o *formatOffer) size(asked uint32) (int, bool) {
	switch {
	case asked == 0, asked == 0xFFFFFFFF, int(asked) == o.blocks:
		return o.blocks, true
	case o.any && int(asked) <= o.blocks:
		return int(asked), true
	}
	return 0, false
}

// Shares of a 25 GB BD that spare areas take (libburn's list of descriptors).
const (
	bdDefault = 11826176
	bdMinimum = 12088320
	bdMaximum = 11564032
	bdFull    = 12219392
)

// formats lists what READ FORMAT CAPACITIES offers.
func (d *Drive) formats() []formatOffer {
	r := d.disc
	if r == nil {
		return nil
	}
	n := r.st.Capacity
	scale := func(share int) int { return int(int64(n)*int64(share)/bdFull) / 32 * 32 }
	switch r.kind.profile {
	case profileDVDRAM:
		return []formatOffer{{formatFull, n, 2048, false}, {formatSpares, n, 2048, false}}
	case profileDVDRW:
		return []formatOffer{{formatFull, n, 16, true}, {formatRWFull, n, 16, true}, {formatRWQuick, n, 16, true}}
	case profileDVDRWRO:
		offers := []formatOffer{{formatFull, n, 16, true}, {formatRWFull, n, 16, true}, {formatRWQuick, n, 16, true}}
		if f := r.st.Format; f.Blocks < n {
			offers = append(offers, formatOffer{formatRWQuickGrow, n - f.Blocks, 16, true})
		}
		return offers
	case profilePlusRW:
		return []formatOffer{{formatPlusRW, n, 0, true}, {formatFull, n, 2048, true}}
	case profileBDRE:
		return []formatOffer{{formatFull, scale(bdDefault), 0x3000, false}, {formatBDRESpares, scale(bdDefault), 0x3000, false},
			{formatBDRESpares, scale(bdMaximum), 0x5000, false}, {formatBDRESpares, scale(bdMinimum), 0x1000, false}, {formatBDRENoSpares, n, 2048, false}}
	case profileBDR:
		if r.blank() && !r.st.Format.Done {
			return []formatOffer{{formatFull, scale(bdDefault), 0x3000, false}, {formatBDR, scale(bdDefault), 0x3000, false},
				{formatBDR, scale(bdMaximum), 0x5000, false}, {formatBDR, scale(bdMinimum), 0x1000, false}}
		}
	}
	return nil
}

// sendOPC is SEND OPC INFORMATION (MMC-6 6.35): the power of the laser is
// calibrated.
func (d *Drive) sendOPC(c *scsi.Command) error {
	if err := d.writable(); err != nil {
		return err
	}
	if c.CDB[1]&1 != 0 {
		d.clock.advance(powerCalTime)
	}
	return nil
}

// sendDiscStructure is SEND DISC STRUCTURE (MMC-6 6.36): where the layers of a
// DVD+R DL meet.
func (d *Drive) sendDiscStructure(c *scsi.Command) (int, error) {
	if err := d.writable(); err != nil {
		return 0, err
	}
	size := alloc16(c, 8)
	if c.CDB[7] != 0x20 || d.disc.kind.profile != profilePlusRDL {
		return 0, badField(7)
	}
	if size < 12 || len(c.Data) < 12 {
		return 0, errLength
	}
	layer0 := int(binary.BigEndian.Uint32(c.Data[8:]))
	switch {
	case !d.disc.blank():
		return 0, errPhase
	case layer0 <= 0 || layer0%16 != 0 || layer0 > d.disc.kind.capacity/2:
		return 0, errParams
	}
	d.disc.st.Layer0 = layer0
	d.disc.st.Capacity = min(d.disc.st.Capacity, 2*layer0)
	d.changed()
	return size, nil
}
