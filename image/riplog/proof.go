package riplog

import (
	"slices"
	"strings"
)

// A Means is by what a song is known to be right.
type Means string

// The means, from the best on.
const (
	Database Means = "database"   // other people's drives gave the same
	TwoReads Means = "read twice" // with the same result
	Votes    Means = "voted"      // some samples from several readings, the rest read twice
	OneRead  Means = "read once"  // the drive reported no error
	Unproven Means = "unproven"   // read, and nothing more is known
	Copied   Means = "copied"     // from an image, of which nothing more is known
	NotRight Means = "not right"
	Unknown  Means = "" // the log says nothing of it that this version knows
)

// A Proof says how a song is proven.
type Proof struct {
	By       Means
	Repaired bool   // some samples are from parity, and no drive may give them
	Words    string // the same for people; nothing depends on them
}

// Proven reports whether other people, or two readings, have the same.
func (p *Proof) Proven() bool { return p.By == Database || p.By == TwoReads || p.By == Votes }

// codeLine states a proof for programs: the version of the codes, the means, and what else is known, separated by commas.
const (
	codeLine     = "proof code"
	codeVersion  = "1"
	codeRepaired = "repaired"
)

// code is what codeLine says of a proof.
func (p *Proof) code() string {
	if p.By == Unknown {
		return ""
	}
	parts := []string{codeVersion, string(p.By)}
	if p.Repaired {
		parts = append(parts, codeRepaired)
	}
	return strings.Join(parts, ", ")
}

// proof reads how a song is proven.
func (s *Section) proof() Proof {
	p := Proof{Words: s.Get(proofLine)}
	code := s.Get(codeLine)
	if code == "" {
		p.readWords()
		return p
	}
	parts := strings.Split(code, ", ")
	known := []Means{Database, TwoReads, Votes, OneRead, Unproven, Copied, NotRight}
	if len(parts) < 2 || parts[0] != codeVersion || !slices.Contains(known, Means(parts[1])) {
		return p
	}
	p.By, p.Repaired = Means(parts[1]), slices.Contains(parts[2:], codeRepaired)
	return p
}

// readWords takes a proof from its words, as of logs of early versions, which have no codes. This table does not follow the
// words of today.
func (p *Proof) readWords() {
	for _, x := range []struct {
		start string
		by    Means
	}{
		{"AccurateRip", Database},
		{"CTDB", Database},
		{"two equal reads; ", Votes},
		{"two equal reads", TwoReads},
		{"read once, no error", OneRead},
		{"read once", Unproven},
		{"copied from an image", Copied},
	} {
		if strings.HasPrefix(p.Words, x.start) {
			p.By = x.by
			break
		}
	}
	p.Repaired = strings.Contains(p.Words, "repaired")
}
