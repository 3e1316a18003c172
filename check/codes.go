package check

import (
	"strings"

	"spindle/disc"
)

// codes compares what two layouts state of the disc beside where its tracks are: the catalogue
// number, ISRCs and texts of CD-TEXT. What one of them lacks is no difference: its format may
// have no place for it, or the drive did not return it.
func (c *comparer) codes() {
	a, b := c.a.Layout(), c.b.Layout()
	if contradict(number(a.MCN), number(b.MCN)) {
		c.found = append(c.found, Difference{Kind: OtherMCN, TextA: a.MCN, TextB: b.MCN})
	}
	ta, tb := a.Tracks(), b.Tracks()
	own := make(map[string]bool)
	for _, t := range ta {
		own[t.ISRC] = true
	}
	for i := range min(len(ta), len(tb)) {
		x, y := ta[i].ISRC, tb[i].ISRC
		if contradict(x, y) && !(c.drive && own[y]) { // drives are known to return that of a neighbour
			c.found = append(c.found, Difference{Kind: OtherISRC, Track: ta[i].Number, TextA: x, TextB: y})
		}
	}
	if a.TextLost == 0 && b.TextLost == 0 { // else some are not what the sheet says
		c.texts(a.Texts(), b.Texts())
	}
}

// number is a catalogue number, or nothing for the zeros that some drives return for none.
func number(mcn string) string {
	if strings.Trim(mcn, "0") == "" {
		return ""
	}
	return mcn
}

func contradict(a, b string) bool { return a != "" && b != "" && a != b }

// comparedTexts are the kinds of texts that are compared.
var comparedTexts = [...]disc.PackType{disc.PackTitle, disc.PackPerformer, disc.PackSongwriter,
	disc.PackComposer, disc.PackArranger, disc.PackMessage}

// texts compares the texts in each language that both have.
func (c *comparer) texts(a, b []disc.TextBlock) {
	for i := range a {
		for j := range b {
			if a[i].Language != b[j].Language {
				continue
			}
			for n := range 100 {
				for _, k := range comparedTexts {
					if x, y := a[i].Text(k, n), b[j].Text(k, n); contradict(x, y) && len(c.found) < mostDifferences {
						c.found = append(c.found, Difference{Kind: OtherText, Track: n, Text: k, TextA: x, TextB: y})
					}
				}
			}
			break
		}
	}
}
