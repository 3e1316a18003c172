package merge

import (
	"bytes"

	"spindle/check"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// A verdict is what is decided on a sector, and what it says of the images.
type verdict struct {
	entry
	disproved []int // inputs that have the sector without a flaw, and wrong
	other     bool  // input and against prove that they are of different discs
}

// A judge decides on the sectors of a track.
type judge struct {
	medium disc.Medium
	track  *disc.Track
	copies []piece // of the sector, one of each source
}

// decide puts the best copy of a sector into p, and says what it is.
func (j *judge) decide(p []byte, at disc.LBA) verdict {
	if j.medium == disc.CD && j.track.Mode.IsData() {
		v, wrong, ok := j.byCodes(p, at)
		if ok {
			return v
		}
		if v, ok = j.byRepair(p, at, wrong); ok {
			return v
		}
		return j.byClaim(p, at, wrong)
	}
	return j.byClaim(p, at, make([]bool, len(j.copies)))
}

// claims reports whether an image has a sector without a flaw.
func (c *piece) claims() bool { return c.bytes != nil && c.kind == 0 }

// byCodes takes a data sector that its own codes prove. It says which copies they disprove.
func (j *judge) byCodes(p []byte, at disc.LBA) (v verdict, wrong []bool, ok bool) {
	best := several
	wrong = make([]bool, len(j.copies))
	for i := range j.copies {
		c := &j.copies[i]
		switch {
		case c.bytes == nil || !c.stored || best >= 0 && bytes.Equal(c.bytes, j.copies[best].bytes):
			continue
		}
		problem, coded := check.SectorProblem((*[cdsector.Size]byte)(c.bytes), j.track, at)
		wrong[i] = problem != ""
		if wrong[i] || !coded {
			continue
		}
		if best >= 0 {
			return verdict{entry: entry{input: best, against: i}, other: true}, nil, true
		}
		best = i
	}
	if best < 0 {
		j.distrustFormless(wrong)
		return verdict{}, wrong, false
	}
	copy(p, j.copies[best].bytes)
	return j.proven(p, entry{best, several, ByEDC, 0}), nil, true
}

// distrustFormless calls copies of an XA sector wrong that look as if they had no form, and so
// no codes, where another that was read has one: their sub-headers are damaged.
func (j *judge) distrustFormless(wrong []bool) {
	if j.track.Mode != disc.Mode2 {
		return
	}
	var formless []int
	xa := false
	for i := range j.copies {
		c := &j.copies[i]
		if c.bytes == nil || c.kind == disc.Unread || !c.stored {
			continue
		}
		switch cdsector.Classify((*[cdsector.Size]byte)(c.bytes)) {
		case cdsector.Mode2:
			formless = append(formless, i)
		case cdsector.Form1, cdsector.Form2:
			xa = true
		}
	}
	for _, i := range formless {
		wrong[i] = wrong[i] || xa
	}
}

// proven makes a verdict of a sector whose EDC is right, and names those that have it
// without a flaw, and otherwise.
func (j *judge) proven(p []byte, e entry) verdict {
	v := verdict{entry: e}
	for i := range j.copies {
		if c := &j.copies[i]; c.claims() && !c.stored && !bytes.Equal(userOf(c.bytes), userOf(p)) {
			v.disproved = append(v.disproved, i)
		}
	}
	return v
}

// userOf returns the user data of a sector.
func userOf(p []byte) []byte {
	if len(p) != cdsector.Size {
		return p
	}
	at, n := cdsector.Classify((*[cdsector.Size]byte)(p)).UserData()
	return p[at : at+n]
}

// byClaim takes a sector that an image has without a flaw, unless another has another one.
func (j *judge) byClaim(p []byte, at disc.LBA, wrong []bool) verdict {
	var claims []int
	for i := range j.copies {
		if j.copies[i].claims() && !wrong[i] {
			claims = append(claims, i)
		}
	}
	claims = j.withoutSilence(claims)
	if len(claims) == 0 {
		return j.damaged(p, at)
	}
	first := &j.copies[claims[0]]
	v := verdict{entry: entry{claims[0], several, Stated, 0}}
	for _, i := range claims[1:] {
		if !bytes.Equal(j.copies[i].bytes, first.bytes) {
			return j.contradicted(p, claims)
		}
		if v.proof == Stated {
			v.proof, v.against = Agreed, i
		}
	}
	copy(p, first.bytes)
	return v
}

// withoutSilence leaves out copies of audio that differ from another only where they are
// silent at the end of the audio: an offset may have left them so.
func (j *judge) withoutSilence(claims []int) []int {
	var rest []int
	for _, i := range claims {
		c, yields := &j.copies[i], false
		for _, k := range claims {
			x := &j.copies[k]
			if c.silent.from < c.silent.to && !bytes.Equal(c.bytes, x.bytes) &&
				bytes.Equal(c.bytes[:c.silent.from], x.bytes[:c.silent.from]) && bytes.Equal(c.bytes[c.silent.to:], x.bytes[c.silent.to:]) {
				yields = true
			}
		}
		if !yields {
			rest = append(rest, i)
		}
	}
	return rest
}

// contradicted takes the copy that most images have, of several the first that holds
// anything, and believes none.
func (j *judge) contradicted(p []byte, claims []int) verdict {
	best, most := several, 0
	for _, i := range claims {
		n := 0
		for _, k := range claims {
			if bytes.Equal(j.copies[i].bytes, j.copies[k].bytes) {
				n += 2
			}
		}
		if !constant(userOf(j.copies[i].bytes)) {
			n++
		}
		if n > most {
			best, most = i, n
		}
	}
	v := verdict{entry: entry{best, several, Contradicted, disc.ReadWithErrors}}
	for _, i := range claims {
		if v.against < 0 && !bytes.Equal(j.copies[i].bytes, j.copies[best].bytes) {
			v.against = i
		}
	}
	j.take(p, best)
	if j.medium == disc.CD && j.track.Mode.IsData() && !j.copies[best].stored {
		s := (*[cdsector.Size]byte)(p) // whose EDC was computed, and vouches for nothing
		cdsector.Spoil(s, cdsector.Classify(s))
	}
	return v
}

func (j *judge) take(p []byte, i int) { copy(p, j.copies[i].bytes) }

// empty makes a sector of zeros, one of data with a header and an EDC that is wrong.
func (j *judge) empty(p []byte, at disc.LBA) {
	clear(p)
	if j.medium != disc.CD {
		return
	}
	s := (*[cdsector.Size]byte)(p)
	switch j.track.Mode {
	case disc.Mode1:
		cdsector.SetHeader(s, at.MSF(), 1)
		cdsector.Spoil(s, cdsector.Mode1)
	case disc.Mode2:
		cdsector.SetHeader(s, at.MSF(), 2)
		s[18], s[22] = 8, 8 // the sub-mode: data
		cdsector.Spoil(s, cdsector.Form1)
	}
}

// damaged takes the best bytes of a sector that no image has without a flaw.
func (j *judge) damaged(p []byte, at disc.LBA) verdict {
	best, evidence := several, 0
	rank := func(i int) int {
		c := &j.copies[i]
		n := 2 * int(c.kind)
		if c.kind == 0 { // its codes are wrong
			n = 2 * int(disc.ReadWithErrors)
		}
		if constant(userOf(c.bytes)) {
			n++
		}
		return n
	}
	for i := range j.copies {
		c := &j.copies[i]
		if c.bytes == nil {
			continue
		}
		if c.kind != disc.Unread {
			evidence++
		}
		if best < 0 || rank(i) < rank(best) {
			best = i
		}
	}
	if best < 0 { // none of the files gives it
		j.empty(p, at)
		return verdict{entry: entry{several, several, Damaged, disc.Unread}}
	}
	kind := j.copies[best].kind
	if kind == 0 {
		kind = disc.ReadWithErrors
	}
	j.take(p, best)
	v := verdict{entry: entry{best, several, Damaged, kind}}
	if evidence >= enoughToVote {
		ballot := j.ballot()
		ballot.elect(p)
		v.input = several
	}
	return v
}
