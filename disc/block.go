package disc

import "spindle/disc/cdsector"

// Block returns the 2048 bytes of user data in a sector of a data track at an address, as a part
// of s or of a copy. Where the sync pattern or the mode byte is damaged, the sector is taken for one
// of the mode of the track. proven: its EDC is right, with the sync pattern, the address and the
// mode that belong there. The error for a sector that has other user data is a [*cdsector.NoBlockError].
func (t *Track) Block(s *[cdsector.Size]byte, a LBA) (block []byte, proven bool, err error) {
	if f, ok := t.Reframed(s, a); ok {
		return t.reframedBlock(s, f, a)
	}
	block, err = cdsector.Block(s)
	return block, err == nil && cdsector.EDCOK(s, cdsector.Classify(s)), err
}

// Reframed returns a copy of a sector of a data track with the sync pattern and the header that it
// ought to have at an address, and false where its own sync pattern and mode byte are right.
func (t *Track) Reframed(s *[cdsector.Size]byte, a LBA) (*[cdsector.Size]byte, bool) {
	mode := byte(1)
	switch {
	case !t.Mode.IsData() || t.Mode == Mode0:
		return nil, false
	case t.Mode == Mode2:
		mode = 2
	}
	if cdsector.HasSync(s) {
		if k := cdsector.Classify(s); k != cdsector.Bad && k != cdsector.Mode0 {
			return nil, false
		}
	}
	f := *s
	cdsector.SetHeader(&f, a.MSF(), mode)
	return &f, true
}

// reframedBlock is Block for s, of which f is the copy that was reframed.
func (t *Track) reframedBlock(s, f *[cdsector.Size]byte, a LBA) ([]byte, bool, error) {
	kind := cdsector.Classify(f)
	if kind == cdsector.Form2 && cdsector.EDCOK(f, kind) {
		return nil, false, &cdsector.NoBlockError{Kind: kind}
	}
	if kind != cdsector.Mode1 { // of which the header is part of the EDC
		kind = cdsector.Form1
		if own, ok := cdsector.Address(s); ok && own != a.MSF() || [cdsector.Size - 16]byte(s[16:]) == [cdsector.Size - 16]byte{} {
			at, n := kind.UserData()
			return f[at : at+n], false, nil // it is another sector, or none: the EDC of zeros is zero
		}
	}
	at, n := kind.UserData()
	return f[at : at+n], cdsector.EDCOK(f, kind), nil
}

// CodedKinds returns the kinds of sectors with an EDC that a track of the mode may hold.
func (m Mode) CodedKinds() []cdsector.Kind {
	switch m {
	case Mode1:
		return []cdsector.Kind{cdsector.Mode1}
	case Mode2:
		return []cdsector.Kind{cdsector.Form1, cdsector.Form2}
	}
	return nil
}
