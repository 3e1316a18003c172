package nrgfile

import (
	"os"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/format"
	"spindle/nrg"
)

// create writes a Nero image of version 2, in disc-at-once form. A track of Mode 1
// whose sectors are what can be built around their user data again is stored as
// these, 2048 bytes a sector: that every program takes which reads Nero images. Other
// tracks are stored whole, and all with their sub-channels where the image has them.
func create(o *format.Output) error {
	if o.Track != 0 {
		return o.CannotHold(format.WholeDiscs, 0)
	}
	if err := o.FromTrackOne(); err != nil {
		return err
	}
	o.OmitAll(format.ModeZero)
	w := writer{o}
	var modes []nrg.Mode
	for _, t := range o.Layout.Tracks() {
		m, err := w.coding(t)
		if err != nil {
			return err
		}
		modes = append(modes, m)
	}
	table, tracks, err := nrg.FromLayout(o.Layout, modes)
	if err != nil {
		return err
	}
	if err := o.Reserve(table.Sectors(), o.Path); err != nil {
		return err
	}
	return o.Write(o.Path, func(f *os.File) error {
		for i := range tracks {
			if err := w.writeTrack(f, &tracks[i]); err != nil {
				return err
			}
		}
		_, err := f.Write(table.Bytes())
		return err
	})
}

// writer writes the sectors of an image.
type writer struct{ o *format.Output }

// coding chooses how a track is stored.
func (w *writer) coding(t *disc.Track) (nrg.Mode, error) {
	if w.o.Image.Subchannels() != nil {
		switch t.Mode {
		case disc.Audio:
			return nrg.AudioSub, nil
		case disc.Mode2:
			return nrg.Mode2RawSub, nil
		}
		return nrg.Mode1RawSub, nil
	}
	switch t.Mode {
	case disc.Audio:
		return nrg.Audio, nil
	case disc.Mode2:
		return nrg.Mode2Raw, nil
	}
	plain := w.o.Layout.Medium != disc.CD
	if !plain && t.Mode == disc.Mode1 {
		var err error
		if plain = w.userOnly(t); !plain {
			if plain, err = w.rebuildable(t); err != nil {
				return 0, err
			}
		}
	}
	if plain {
		return nrg.Mode1User, nil
	}
	return nrg.Mode1Raw, nil
}

// stored is what of each sector a mode has.
func stored(m nrg.Mode) format.Stored {
	switch m {
	case nrg.Mode1User:
		return format.UserData
	case nrg.Mode1RawSub, nrg.Mode2RawSub, nrg.AudioSub:
		return format.WithSub
	}
	return format.Whole
}

// rebuildable reports whether every sector of a track of Mode 1 is what comes of
// building it around its user data. It reads the track, up to the first that is not.
func (w *writer) rebuildable(t *disc.Track) (bool, error) {
	const batch = 256
	buf := make([]byte, batch*cdsector.Size)
	for a := t.Begin(); a < t.End; a += batch {
		if err := w.o.Context().Err(); err != nil {
			return false, err
		}
		p := buf[:min(batch, int(t.End-a))*cdsector.Size]
		if err := w.o.Image.ReadSectors(w.o.Context(), p, a); err != nil {
			return false, err
		}
		for i := 0; i < len(p); i += cdsector.Size {
			if !standard((*[cdsector.Size]byte)(p[i:]), a+disc.LBA(i/cdsector.Size)) {
				return false, nil
			}
		}
	}
	return true, nil
}

// standard reports whether all of a sector but its user data is as Mode 1 has it:
// sync pattern, address, EDC, the zeros behind it, parity.
func standard(s *[cdsector.Size]byte, at disc.LBA) bool {
	own, ok := cdsector.Address(s)
	const zeros = 2068
	return ok && cdsector.HasSync(s) && s[15] == 1 && own == at.MSF() &&
		[8]byte(s[zeros:]) == [8]byte{} && cdsector.EDCOK(s, cdsector.Mode1) && cdsector.ParityOK(s, cdsector.Mode1)
}

// userOnly reports whether the image has only the user data of a track.
func (w *writer) userOnly(t *disc.Track) bool {
	for a := t.Begin(); a < t.End; {
		e, found := w.o.Image.ExtentAt(a)
		if !found || e.Form != disc.FormMode1 {
			return false
		}
		a += disc.LBA(e.Count)
	}
	return true
}

// writeTrack writes a track, with the two seconds before it that Nero stores at
// the start of a session: silence, or empty sectors.
func (w *writer) writeTrack(f *os.File, t *nrg.Placed) error {
	for a := t.Track.Begin() - disc.LBA(t.Lead); a < t.Track.Begin(); a++ {
		if err := w.o.WritePadding(f, w.empty(t, a)); err != nil {
			return err
		}
	}
	return w.o.Copy(f, t.Track, t.Track.Begin(), t.Track.End, stored(t.Mode))
}

// empty makes a sector without content, as it is stored.
func (w *writer) empty(t *nrg.Placed, at disc.LBA) []byte {
	b := make([]byte, t.Mode.SectorSize())
	as := stored(t.Mode)
	if as == format.UserData {
		return b
	}
	s, m := (*[cdsector.Size]byte)(b), at.MSF()
	switch t.Track.Mode {
	case disc.Mode1, disc.Mode0:
		cdsector.SetHeader(s, m, 1)
		cdsector.Seal(s, cdsector.Mode1)
	case disc.Mode2:
		cdsector.SetHeader(s, m, 2)
		cdsector.Seal(s, cdsector.Form1)
	}
	if as == format.WithSub {
		var sub [cdsector.SubSize]byte
		w.o.Layout.Subchannel(at, &sub)
		cdsector.Interleave((*[cdsector.SubSize]byte)(b[cdsector.Size:]), &sub)
	}
	return b
}
