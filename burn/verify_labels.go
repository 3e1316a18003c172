package burn

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"
	"spindle/scsi/mmc"
)

// A LabelKind is what a CD carries besides its sectors.
type LabelKind string

// The kinds of labels.
const (
	LabelCatalogue LabelKind = "catalogue" // the media catalogue number
	LabelISRC      LabelKind = "isrc"      // of a track
	LabelIndex     LabelKind = "index"     // 2 and above, within a track
	LabelText      LabelKind = "cd-text"
	LabelTracks    LabelKind = "tracks" // the table of contents
)

// A Label is something that a burn announced to the drive, and that comparing sectors
// does not show. Some drives take it and do not write it.
type Label struct {
	Kind  LabelKind `json:"kind"`
	Track int       `json:"track,omitempty"`
	Index int       `json:"index,omitempty"`
}

// expected is a label and what it must say.
type expected struct {
	Label
	code  string      // of a catalogue number or ISRC
	at    disc.LBA    // of an index
	packs []disc.Pack // of CD-TEXT
}

// announced lists the labels that a plan has a drive write.
func announced(plan *Plan, src *Source) []expected {
	var list []expected
	for _, s := range plan.Steps {
		switch s := s.(type) {
		case ParamsStep:
			if s.Params.MCN != "" {
				list = append(list, expected{Label: Label{Kind: LabelCatalogue}, code: s.Params.MCN})
			}
		case CueSheetStep:
			list = append(list, inCueSheet(s.Entries)...)
		case TextStep:
			list = append(list, expected{Label: Label{Kind: LabelText}, packs: s.Packs})
		case RawStep:
			list = append(list, inLayout(src.image.Layout())...)
		}
	}
	// The catalogue number may be announced in two places.
	slices.SortStableFunc(list, func(a, b expected) int {
		return cmp.Or(cmp.Compare(a.Track, b.Track), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Index, b.Index))
	})
	return slices.CompactFunc(list, func(a, b expected) bool { return a.Label == b.Label })
}

// inCueSheet lists what a cue sheet announces: codes come in two entries.
func inCueSheet(entries []mmc.CueEntry) []expected {
	var list []expected
	var code string
	for _, e := range entries {
		switch {
		case e.ADR == 2 || e.ADR == 3:
			if code += strings.TrimRight(string(e.Text), "\x00"); len(code) < 12 {
				continue
			}
			kind, track := LabelISRC, int(e.Track)
			if e.ADR == 2 {
				kind, track = LabelCatalogue, 0
			}
			list = append(list, expected{Label: Label{Kind: kind, Track: track}, code: code})
			code = ""
		case e.ADR == 1 && e.Track != mmc.CueLeadOut && e.Index > 1:
			list = append(list, expected{Label: Label{LabelIndex, int(e.Track), int(e.Index)}, at: e.LBA})
		}
	}
	return list
}

// inLayout lists what a session written raw carries.
func inLayout(l *disc.Layout) []expected {
	var list []expected
	if l.MCN != "" {
		list = append(list, expected{Label: Label{Kind: LabelCatalogue}, code: l.MCN})
	}
	if len(l.CDText) > 0 {
		list = append(list, expected{Label: Label{Kind: LabelText}, packs: l.CDText})
	}
	for _, t := range l.Tracks() {
		if t.ISRC != "" {
			list = append(list, expected{Label: Label{Kind: LabelISRC, Track: t.Number}, code: t.ISRC})
		}
		for k, at := range t.Indexes {
			list = append(list, expected{Label: Label{LabelIndex, t.Number, k + 2}, at: at})
		}
	}
	return list
}

// tracks compares the table of contents with what the plan announced: the numbers of the
// tracks, and where each begins. Of a drive that gives none, the result says so.
func (v *verifier) tracks(ctx context.Context, plan *Plan) error {
	want := make(map[int]disc.LBA)
	for _, s := range plan.Steps {
		switch s := s.(type) {
		case CueSheetStep:
			for _, e := range s.Entries {
				if e.ADR == 1 && e.Index == 1 && e.Track != mmc.CueLeadOut {
					want[int(e.Track)] = e.LBA
				}
			}
		case RawStep:
			for _, t := range v.src.image.Layout().Tracks() {
				want[t.Number] = t.Start
			}
		}
	}
	if len(want) == 0 {
		return nil
	}
	toc, err := v.drive.TOC(ctx)
	if err != nil {
		v.res.NotAsked = append(v.res.NotAsked, Label{Kind: LabelTracks})
		return ctx.Err()
	}
	for _, e := range toc.Entries {
		// No track of a disc begins before the lead-in ends, at -150: a drive that says so is wrong about the disc.
		if at, ok := want[e.Track]; ok && (at == e.LBA || e.LBA < -disc.LBA(2*disc.FramesPerSecond)) {
			delete(want, e.Track)
		}
	}
	v.res.Misplaced = slices.Sorted(maps.Keys(want))
	return nil
}

// labels reads back what the plan announced. What the drive cannot be asked for is not
// missing, and not there either.
func (v *verifier) labels(ctx context.Context, plan *Plan) error {
	hung := false // a drive that hangs over a sub-channel says nothing of the sectors
	for _, l := range announced(plan, v.src) {
		answer := notAsked
		if !hung {
			var err error
			if answer, err = v.label(ctx, &l); err != nil {
				answer, hung = notAsked, !drive.Classify(err).Answered()
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		switch answer {
		case missing:
			v.res.Missing = append(v.res.Missing, l.Label)
		case notAsked:
			v.res.NotAsked = append(v.res.NotAsked, l.Label)
		}
	}
	return nil
}

// answer is what a drive says of a label.
type answer uint8

const (
	notAsked answer = iota // it does not say
	there
	missing
)

// found is the answer of a drive that can say it.
func found(ok bool) answer {
	if ok {
		return there
	}
	return missing
}

// label reads one label back. After an error nothing is known of it.
func (v *verifier) label(ctx context.Context, l *expected) (answer, error) {
	switch l.Kind {
	case LabelCatalogue:
		got, err := v.drive.MCN(ctx)
		return found(got == l.code), err
	case LabelISRC:
		got, err := v.drive.ISRC(ctx, l.Track)
		return found(got == l.code), err
	case LabelText:
		got, err := v.drive.CDText(ctx)
		if drive.Classify(err) == drive.Refused {
			return missing, nil // so a disc without CD-TEXT is answered
		}
		packs, _, perr := disc.ParsePacks(got)
		return found(perr == nil && slices.Equal(packs, l.packs)), err
	}
	return v.index(ctx, l)
}

// index looks for the number of an index in the sub-channel of the sectors where it
// begins.
func (v *verifier) index(ctx context.Context, l *expected) (answer, error) {
	const sectors, stride = 8, cdsector.Size + cdsector.SubSize
	buf := make([]byte, sectors*stride)
	n, err := v.drive.ReadCD(ctx, buf, mmc.CDReadRequest{LBA: l.at, Count: sectors, Fields: mmc.RawSector, Sub: mmc.RawSub})
	if err != nil || n < len(buf) {
		return notAsked, err
	}
	frames := 0
	for s := range slices.Chunk(buf, stride) {
		q := cdsector.DeinterleaveQ((*[cdsector.SubSize]byte)(s[cdsector.Size:]))
		f, err := cdsector.DecodeQ(&q)
		if err != nil || f.ADR != 1 {
			continue
		}
		if frames++; f.Track == l.Track && f.Index == l.Index {
			return there, nil
		}
	}
	if frames == 0 {
		return notAsked, nil // no frame came right
	}
	return missing, nil
}
