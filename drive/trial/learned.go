package trial

import (
	"spindle/drive"
	"spindle/drive/known"
	"spindle/scsi/mmc"
)

// falsePointers is the share of sectors above which error pointers are false, if in
// another form fewer have any.
const falsePointers = 0.05

// Learned is what a report shows of the drive, whatever disc is in it: what may as well
// be damage of this disc is left out.
func (r *Report) Learned() known.Facts {
	var f known.Facts
	for i := range r.Stretches {
		s := &r.Stretches[i]
		s.learnTransfer(&f)
		s.learnCache(&f)
		if s.Coding == drive.Audio {
			s.learnPointers(&f)
			s.learnStream(&f)
		}
	}
	return f
}

// Brought is how many bytes one command brought wherever that was tried, or 0.
func (r *Report) Brought() int {
	least := 0
	for i := range r.Stretches {
		if n := r.Stretches[i].Transfer; n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

func learn[T comparable](f *known.Fact[T], v T) { *f = known.Fact[T]{Value: v, From: known.Remembered} }

// learnTransfer takes over a limit. Where none was met, the adapter's is the only one.
func (s *Stretch) learnTransfer(f *known.Facts) {
	if s.Limited && s.Transfer > 0 && (f.Transfer.From == known.Unknown || s.Transfer < f.Transfer.Value) {
		learn(&f.Transfer, s.Transfer)
	}
}

// learnCache takes over how the buffer is defeated.
func (s *Stretch) learnCache(f *known.Facts) {
	c := &s.Cache
	if !c.Holds {
		return
	}
	switch c.ForceUnitAccess {
	case Works:
		learn(&f.ForcedAccess, true)
	case Refused, Wrong:
		learn(&f.ForcedAccess, false)
	}
	if c.Bytes > f.Cache.Value {
		learn(&f.Cache, c.Bytes)
	}
}

// learnStream takes over whether reads join. Damaged audio comes differently each time,
// too: only where error pointers say that there is none do reads that differ count.
func (s *Stretch) learnStream(f *known.Facts) {
	bits, block := s.pointers(mmc.C2Bits), s.pointers(mmc.C2AndBlock)
	switch {
	case s.Stream == Works:
		learn(&f.Stream, true)
	case s.Stream == Wrong && (bits.right() || block.right()):
		learn(&f.Stream, false)
	}
}

// learnPointers takes over in which forms error pointers are right. On damaged sectors
// they are set in all forms, and reads that report errors fail in all.
func (s *Stretch) learnPointers(f *known.Facts) {
	bits, block := s.pointers(mmc.C2Bits), s.pointers(mmc.C2AndBlock)
	judge := func(fact *known.Fact[bool], form, other *Form) {
		switch {
		case form.right():
			learn(fact, true)
		case s.Short && form.Outcome == Wrong: // perhaps only cut
		case form.Outcome == Refused, other.right() && form.Outcome != Untried:
			learn(fact, false)
		}
	}
	judge(&f.C2Bits, &bits, &block)
	judge(&f.C2Block, &block, &bits)
	if both := s.form(mmc.C2AndBlock, mmc.RawSub); block.right() && s.form(mmc.NoC2, mmc.RawSub).Outcome == Works {
		switch both.Outcome {
		case Works:
			learn(&f.C2WithSub, true)
		case Refused:
			if bits := s.form(mmc.C2Bits, mmc.RawSub); bits.Outcome == Refused {
				learn(&f.C2WithSub, false)
			}
		}
	}
}

// right: it came, and hardly any sector is flagged.
func (f *Form) right() bool { return f.Outcome == Works && f.Flagged <= falsePointers }

// pointers is what came of error pointers without a sub-channel.
func (s *Stretch) pointers(c2 mmc.C2Mode) Form { return s.form(c2, mmc.NoSub) }

// form is the form of READ CD that asks for the type of sector by name, as rips do.
func (s *Stretch) form(c2 mmc.C2Mode, sub mmc.SubMode) Form {
	for _, f := range s.Forms {
		if f.Expect != mmc.AnySector && f.C2 == c2 && f.Sub == sub {
			return f
		}
	}
	return Form{}
}
