package main

import (
	"fmt"
	"strings"

	"spindle/album"
	"spindle/disc/accuraterip"
)

// What databases say of a song is worded here, for rip, its log and verify: version 1 and 2 of AccurateRip apart, as EAC and
// whipper do, since version 1 alone proves nothing.

// silentWords are said of a song of zeros alone. Others have these, too, and so has a drive that reads nothing.
const silentWords = "silent: nothing to prove"

// onlySilence reports whether a track is silent, and no database says that it should not be.
func onlySilence(p *album.Proof) bool {
	return p.Silent && p.AccurateRip.Outcome != accuraterip.NoMatch && (p.CTDBTotal == 0 || p.CTDB+p.CTDBMoved > 0)
}

// leastProof is the confidence from which a match is not one's own submission.
const leastProof = 2

// confidence says how many people agree, of those who submitted a track or a disc.
func confidence(n, of int) string {
	text := fmt.Sprintf("confidence %d of %d", n, of)
	if n < leastProof {
		text += ", which may be your own"
	}
	return text
}

// away says how far what others have is away, or is empty.
func away(offset int) string {
	if offset == 0 {
		return ""
	}
	return fmt.Sprintf(" with offset %+d", offset)
}

// confidenceAt says it of those who have the same at an offset.
func confidenceAt(offset, n, of int) string {
	if offset == 0 {
		return confidence(n, of)
	}
	return strings.TrimSpace(away(offset)) + ", " + confidence(n, of)
}

// versions says for each version of AccurateRip's checksum how many people agree.
func versions(r *accuraterip.Result) (words []string) {
	offset := 0
	if r.Outcome == accuraterip.OtherPressing {
		offset = r.Offset
	}
	if r.V2 > 0 {
		words = append(words, "v2, "+confidence(r.V2, r.Total))
	}
	if r.V1 > 0 {
		words = append(words, "v1"+away(offset)+", "+confidence(r.V1, r.Total))
	}
	return words
}

// databaseWords says what databases say of a track, of which CTDB's parity repaired some samples, as users of other
// programs know it.
func databaseWords(p *album.Proof, repaired int) string {
	var words []string
	if p.AccurateRip.Outcome == accuraterip.NoMatch {
		words = append(words, "no match in AccurateRip")
	}
	for _, v := range versions(&p.AccurateRip) {
		words = append(words, "AccurateRip "+v)
	}
	fixed := ""
	if repaired > 0 && p.ByCTDB() {
		fixed = fmt.Sprintf(", %s repaired", plural(repaired, "sample"))
	}
	switch {
	case p.Silent && (p.CTDB > 0 || p.CTDBMoved > 0): // it is everywhere
	case p.CTDB > 0:
		words = append(words, "CTDB"+fixed+", "+confidence(p.CTDB, p.CTDBTotal))
	case p.CTDBMoved > 0:
		words = append(words, "CTDB"+away(p.Offset)+fixed+", "+confidence(p.CTDBMoved, p.CTDBTotal))
	case p.CTDBTotal > 0:
		words = append(words, "no match in CTDB")
	}
	return strings.Join(words, "; ")
}
