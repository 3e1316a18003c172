package burn

import (
	"context"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image"
	"spindle/iso"
	"spindle/scsi/mmc"
)

// leastTrack is the least length of a track: four seconds (Red Book).
const leastTrack = 300

// cd plans CD-R and CD-RW.
func (p *planner) cd(ctx context.Context) error {
	mode := p.o.Mode
	if mode == Auto {
		mode = SessionAtOnce
		// A session at once needs a blank session; what a drive does with the
		// multi-session field there varies, so an open disc is written by track.
		// A stream ends where it likes.
		if p.single() && (p.o.Multi || p.m.Status == mmc.DiscAppendable || !p.m.AtOnce || p.src.stream != nil) {
			mode = TrackAtOnce
		}
	}
	p.plan.Mode, p.plan.Final = mode, !p.o.Multi
	if err := p.checkCDMode(mode); err != nil {
		return err
	}
	switch mode {
	case TrackAtOnce:
		return p.trackAtOnce(ctx)
	case Raw96:
		return p.raw()
	case SessionAtOnce:
		return p.sessions(ctx)
	}
	return &Refusal{Kind: ErrOptions, Reason: NotForCD, Disc: p.m.Profile}
}

// checkCDMode refuses a mode of writing that does not go with the image, the disc or the
// drive.
func (p *planner) checkCDMode(mode Mode) error {
	switch {
	case p.src.layout().Medium != disc.CD && mode != TrackAtOnce && mode != SessionAtOnce:
		return &Refusal{Kind: ErrWrongMedium, Reason: ImageOfOther, Disc: p.m.Profile}
	case p.m.Open:
		return &Refusal{Kind: ErrNotBlank, Reason: SessionIsOpen, Disc: p.m.Profile}
	case mode == SessionAtOnce && !p.m.AtOnce:
		return &Refusal{Kind: ErrOptions, Reason: NoSessionAtOnce, Disc: p.m.Profile}
	case mode == Raw96 && !p.m.RawWrite:
		return &Refusal{Kind: ErrOptions, Reason: NoRaw, Disc: p.m.Profile}
	}
	return nil
}

// params sets the mode of writing, and lets the drive calibrate its laser: on the
// disc, in an area that is small, so that a simulation goes without.
func (p *planner) params(w mmc.WriteParameters) {
	p.add(ParamsStep{w})
	if !p.o.Simulate {
		p.add(CalibrateStep{})
	}
}

// single reports whether the image is one data track of 2048-byte blocks.
func (p *planner) single() bool {
	tracks := p.src.layout().Tracks()
	return len(tracks) == 1 && tracks[0].Mode == disc.Mode1 && tracks[0].Pregap == 0
}

// trackAtOnce plans one data track.
func (p *planner) trackAtOnce(ctx context.Context) error {
	if !p.single() {
		return &Refusal{Kind: ErrOptions, Reason: NotOneTrack, Disc: p.m.Profile}
	}
	const runOut = 2 // blocks after the track
	at := p.m.NextWritable
	t, err := p.data(at, runOut)
	if err != nil {
		return err
	}
	if err := p.fits(at, p.padded(t)+runOut); err != nil {
		return err
	}
	if err := p.address(ctx, t, at); err != nil {
		return err
	}
	params := mmc.WriteParameters{Type: mmc.WriteTrackAtOnce, TestWrite: p.o.Simulate, UnderrunFree: p.m.UnderrunFree, TrackMode: mmc.ControlData, Block: mmc.BlockMode1}
	switch {
	case p.o.Multi:
		params.MultiSession = mmc.NextSession
	case p.m.Status == mmc.DiscAppendable:
		params.MultiSession = mmc.LastSession
	}
	p.params(params)
	p.add(ExpectStep{at})
	p.writeData(t, at)
	p.add(SyncStep{})
	if !p.o.Simulate { // some drives do not close what was never written (cdrecord)
		p.add(CloseStep{Function: mmc.CloseSession})
	}
	return nil
}

// sessions plans each session of the image at once.
func (p *planner) sessions(ctx context.Context) error {
	if p.src.stream != nil {
		if p.src.blocks == 0 {
			return &Refusal{Kind: ErrOptions, Reason: NeedsLength, Disc: p.m.Profile}
		}
		p.plan.Notes = append(p.plan.Notes, Note{Code: NoteFixed, Sectors: p.src.blocks})
	}
	l := p.lengthened()
	err := checkTracks(l)
	if err != nil {
		return err
	}
	shift := disc.LBA(0)
	if n := l.Tracks()[0].Number; n > max(1, p.m.LastTrack) {
		return &Refusal{Kind: ErrImage, Reason: FirstTrack, Disc: p.m.Profile, A: n}
	}
	if p.m.Status == mmc.DiscAppendable {
		if len(l.Sessions) > 1 {
			return &Refusal{Kind: ErrNotBlank, Reason: SessionsOnUsed, Disc: p.m.Profile, A: len(l.Sessions)}
		}
		shift = p.m.NextWritable
		if l, err = p.numbered(l); err != nil {
			return err
		}
	}
	p.plan.Start = shift
	l = p.inPlace(l)
	for i := range l.Sessions {
		if shift, err = p.moved(ctx, l, i, shift); err != nil {
			return err
		}
		p.session(ctx, &l.Sessions[i], shift, p.o.Multi || i < len(l.Sessions)-1, i == 0)
	}
	if err := p.fits(shift, int(l.End())); err != nil {
		return err
	}
	p.plan.Steps[len(p.plan.Steps)-1] = SyncStep{Last: true}
	return nil
}

// numbered returns a layout whose tracks follow those on the disc, in a session of the
// same format (cdrdao).
func (p *planner) numbered(l *disc.Layout) (*disc.Layout, error) {
	const most = 99 // tracks of a CD
	l = l.Clone()
	s := &l.Sessions[0]
	before := max(0, p.m.LastTrack-s.Tracks[0].Number)
	if n := before + s.Tracks[len(s.Tracks)-1].Number; n > most {
		return nil, &Refusal{Kind: ErrTooLarge, Reason: TooManyTracks, Disc: p.m.Profile, A: n}
	}
	for i := range s.Tracks {
		s.Tracks[i].Number += before
	}
	if p.m.Format != mmc.SessionUndefined {
		s.Format = disc.SessionFormat(p.m.Format)
	}
	return l, nil
}

// lengthened returns the layout of the image, in which a data track that is alone and
// too short is followed by zeros, up to the least length of a track.
func (p *planner) lengthened() *disc.Layout {
	l := p.src.layout()
	pad := leastTrack - int(l.End())
	if !p.single() || pad <= 0 {
		return l
	}
	l = l.Clone()
	s := &l.Sessions[0]
	s.LeadOut = s.Tracks[0].Start + leastTrack
	p.plan.Notes = append(p.plan.Notes, Note{Code: NotePadded, Sectors: pad})
	return l
}

// checkTracks finds what no disc can hold.
func checkTracks(l *disc.Layout) error {
	alone := 0 // the length, with what follows it, of the only track
	if len(l.Tracks()) == 1 {
		alone = int(l.Sessions[0].LeadOut - l.Tracks()[0].Start)
	}
	for _, t := range l.Tracks() {
		switch {
		case t.Mode == disc.Mode0:
			return &Refusal{Kind: ErrImage, Reason: EmptyTrack, A: t.Number}
		case max(int(t.End-t.Start), t.Sectors(), alone) < leastTrack:
			return &Refusal{Kind: ErrImage, Reason: ShortTrack, A: t.Number}
		}
	}
	for i := range l.Sessions {
		tracks := l.Sessions[i].Tracks
		for j := 1; j < len(tracks); j++ {
			if tracks[j].Mode.IsData() != tracks[j-1].Mode.IsData() && tracks[j].Pregap == 0 {
				return &Refusal{Kind: ErrImage, Reason: NoPregap, A: tracks[j-1].Number, B: tracks[j].Number}
			}
		}
	}
	return nil
}

// trackForm is how the sectors of a track are sent, and announced.
func trackForm(m disc.Mode) (Form, mmc.DataForm, mmc.DataForm) {
	switch m {
	case disc.Audio:
		return FormAudio, mmc.FormAudio, mmc.FormAudioNone
	case disc.Mode2:
		return FormMode2, mmc.FormXA, mmc.FormXANone
	}
	return FormBlock, mmc.FormMode1, mmc.FormMode1None
}

// session adds the steps of one session at once.
func (p *planner) session(ctx context.Context, s *disc.Session, shift disc.LBA, more, first bool) {
	l := p.src.layout()
	begin := disc.LBA(0)
	if !first {
		begin = s.Tracks[0].Begin()
	}
	params := mmc.WriteParameters{Type: mmc.WriteSessionAtOnce, TestWrite: p.o.Simulate, UnderrunFree: p.m.UnderrunFree,
		SessionFormat: mmc.SessionFormat(s.Format), Block: mmc.BlockAudio}
	if first {
		params.MCN = l.MCN
	}
	switch {
	case more:
		params.MultiSession = mmc.NextSession
	case !first || shift > 0: // as cdrdao closes the last of several
		params.MultiSession = mmc.LastSession
	}
	text := first && p.text(shift)
	entries := append(catalogueEntries(params.MCN, s.Tracks[0].Control), cueEntries(s, begin, text)...)
	if p.announceFormless(ctx, s, entries) {
		params.SessionFormat = mmc.SessionCDROM
	}
	for i := range entries {
		entries[i].LBA += shift
	}
	p.params(params)
	if !first || shift > 0 {
		p.add(ExpectStep{begin + shift})
	}
	p.add(CueSheetStep{entries})
	if text {
		p.add(TextStep{p.m.LeadInStart, int(-addr.Pregap - p.m.LeadInStart), l.CDText})
	}
	form, _, _ := trackForm(s.Tracks[0].Mode)
	p.add(ZeroStep{begin + shift - addr.Pregap, addr.Pregap, form})
	for i := range s.Tracks {
		next := s.LeadOut
		if i+1 < len(s.Tracks) {
			next = s.Tracks[i+1].Begin()
		}
		from := s.Tracks[i].Begin()
		if i == 0 {
			from = begin
		}
		p.track(&s.Tracks[i], from, next, shift)
	}
	p.add(SyncStep{})
}

// text reports whether the CD-TEXT of the image comes onto the disc, and notes it where
// there is some that does not.
func (p *planner) text(shift disc.LBA) bool {
	if len(p.src.layout().CDText) == 0 {
		return false
	}
	if p.m.LeadInStart < -addr.Pregap && shift == 0 {
		return true
	}
	p.plan.Notes = append(p.plan.Notes, Note{Code: NoteNoText})
	return false
}

// track adds the steps that write a track of a session at once, and what lies around it,
// from the address from to next.
func (p *planner) track(t *disc.Track, from, next, shift disc.LBA) {
	form, _, _ := trackForm(t.Mode)
	if begin := t.Begin(); begin > from { // an image may leave the beginning of a session out
		p.add(ZeroStep{from + shift, int(begin - from), form})
		from = begin
	}
	// A pregap of data holds no user data that could be read back.
	if t.Mode == disc.Mode1 && t.Pregap > 0 {
		p.add(ZeroStep{from + shift, int(t.Start - from), form})
		from = t.Start
	}
	p.add(WriteStep{Region: Region{LBA: from + shift, Source: from, Count: int(t.End - from), Form: form}})
	if next > t.End {
		p.add(ZeroStep{t.End + shift, int(next - t.End), form})
	}
}

// plainControl is the control field of a lead-in or lead-out, which states data or audio
// and nothing else (libburn, cdrdao).
func plainControl(c disc.Control) mmc.Control { return mmc.Control(c) & mmc.ControlData }

// catalogueEntries are those of a catalogue number. They come first. Drives take the
// number of a session at once from here, and not from mode page 05h (cdrdao sends it
// here only).
func catalogueEntries(mcn string, control disc.Control) []mmc.CueEntry {
	const digits, half = 13, 7
	if len(mcn) != digits {
		return nil
	}
	e := mmc.CueEntry{Control: plainControl(control), ADR: 2}
	a, b := e, e
	a.Text, b.Text = []byte(mcn[:half]), []byte(mcn[half:])
	return []mmc.CueEntry{a, b}
}

// cueEntries makes the cue sheet of a session whose first sector after its pregap
// is begin.
func cueEntries(s *disc.Session, begin disc.LBA, text bool) []mmc.CueEntry {
	first, last := &s.Tracks[0], &s.Tracks[len(s.Tracks)-1]
	_, _, none := trackForm(first.Mode)
	leadIn := mmc.CueEntry{Control: plainControl(first.Control), ADR: 1, Form: none}
	if text {
		leadIn.Form = mmc.FormLeadInText
	}
	entries := []mmc.CueEntry{leadIn}
	for i := range s.Tracks {
		t := &s.Tracks[i]
		number, control := uint8(t.Number), mmc.Control(t.Control)
		_, form, _ := trackForm(t.Mode)
		if len(t.ISRC) == 12 {
			entries = append(entries, mmc.CueEntry{Control: control, ADR: 3, Track: number, Text: []byte(t.ISRC[:6])},
				mmc.CueEntry{Control: control, ADR: 3, Track: number, Text: []byte(t.ISRC[6:])})
		}
		add := func(index int, a disc.LBA) {
			entries = append(entries, mmc.CueEntry{Control: control, ADR: 1, Track: number, Index: uint8(index), Form: form, LBA: a})
		}
		switch {
		case i == 0:
			add(0, begin-addr.Pregap)
		case t.Pregap > 0:
			add(0, t.Begin())
		}
		add(1, t.Start)
		for k, a := range t.Indexes {
			add(k+2, a)
		}
	}
	_, _, none = trackForm(last.Mode)
	return append(entries, mmc.CueEntry{Control: plainControl(last.Control), ADR: 1, Track: mmc.CueLeadOut, Index: 1, Form: none, LBA: s.LeadOut})
}

// announceFormless announces the tracks of Mode 2 that have no sub-headers as such: into
// those of CD-ROM XA a drive would write an EDC. It reports whether the session has
// formless tracks, and none of XA.
func (p *planner) announceFormless(ctx context.Context, s *disc.Session, entries []mmc.CueEntry) bool {
	xa, found := false, false
	last := &s.Tracks[len(s.Tracks)-1]
	for i := range s.Tracks {
		t := &s.Tracks[i]
		if t.Mode != disc.Mode2 {
			continue
		}
		if !formless(ctx, p.src.image, t) {
			xa = true
			continue
		}
		found = true
		for j := range entries {
			e := &entries[j]
			of := e.Track == uint8(t.Number) || e.Track == 0 && i == 0 || e.Track == mmc.CueLeadOut && t == last
			switch {
			case e.ADR != 1 || !of:
			case e.Form == mmc.FormXA:
				e.Form = mmc.FormMode2
			case e.Form == mmc.FormXANone:
				e.Form = mmc.FormMode2None
			}
		}
	}
	return found && !xa
}

// formless reports whether the sectors of a track of Mode 2 have no sub-header, by a
// sample of them.
func formless(ctx context.Context, img disc.Image, t *disc.Track) bool {
	const places = 16
	var s [cdsector.Size]byte
	step := max(1, t.Sectors()/places)
	for a := t.Start; a < t.End; a += disc.LBA(step) {
		if img.ReadSectors(ctx, s[:], a) != nil || cdsector.Classify(&s) != cdsector.Mode2 {
			return false
		}
	}
	return true
}

// rootExtent returns the block of the root directory of the ISO 9660 file system
// in a data track, as its volume descriptor states it.
func rootExtent(ctx context.Context, img disc.Image, t *disc.Track) (uint32, bool) {
	p, err := iso.ReadPrimary(image.UserData(ctx, img, t), 0)
	if err != nil {
		return 0, false
	}
	return uint32(p.Root.Block), true
}
