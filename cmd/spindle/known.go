package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/burn/journal"
	"spindle/drive/byname"
	"spindle/drive/known"
	"spindle/internal/printable"
	"spindle/scsi/mmc"
)

// openKnown is open for what reads or writes a whole disc: the drive is used as it is
// known to work, and what is known of it is returned.
func (k *deck) openKnown(ctx context.Context, name string, how byname.Access) (*mmc.Drive, known.Facts, error) {
	dev, err := k.device(ctx, name, how)
	if err != nil {
		return nil, known.Facts{}, err
	}
	if name == "" {
		name = k.drive()
	}
	facts := k.knownOf(ctx, mmc.New(dev), name)
	return mmc.New(facts.Limit(dev)), facts, nil
}

// knownOf returns what is known of a drive. Where the traffic with it is recorded or
// played back, that is only its read offset: a trace shows the drive, and plays back
// where nothing is known of it.
func (k *deck) knownOf(ctx context.Context, d *mmc.Drive, name string) known.Facts {
	lib := k.library()
	id, err := identify(ctx, d, name)
	if lib == nil || err != nil {
		return known.Facts{}
	}
	facts, err := lib.Of(id)
	k.noteIgnored(err)
	if k.trace != "" || isReplay(name) {
		return known.Facts{Offset: facts.Offset}
	}
	return facts
}

// library opens what is known of drives.
func (k *deck) library() *known.Library {
	config, err := os.UserConfigDir()
	if err == nil {
		config = filepath.Join(config, "spindle")
	}
	memory, err := journal.UserDir()
	if err == nil {
		memory = filepath.Join(memory, "drives")
	}
	lib, err := known.Open(config, memory)
	k.noteIgnored(err)
	return lib
}

// noteIgnored says which files were ignored, and why.
func (k *deck) noteIgnored(err error) {
	if err != nil {
		k.console.note("what is known of drives was ignored: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// identify asks a drive what it is.
func identify(ctx context.Context, d *mmc.Drive, name string) (known.ID, error) {
	q, err := d.Inquiry(ctx)
	return known.ID{Vendor: q.Vendor, Product: q.Product, Revision: q.Revision, Variant: variantOf(name)}, err
}

// variantOf sets simulated drives apart from real ones of the same name, and those that
// depart from the standard in different ways from each other.
func variantOf(name string) string {
	text, ok := strings.CutPrefix(name, "sim:")
	if !ok {
		return ""
	}
	_, options, _ := strings.Cut(text, "?")
	variant := "sim"
	for option := range strings.SplitSeq(options, "&") {
		if key, _, _ := strings.Cut(option, "="); slices.Contains(driveKeys, key) {
			variant += "&" + option
		}
	}
	return strings.ToValidUTF8(variant, "?")
}

// driveKeys are the keys in the name of a simulated drive that say how the drive is, and
// not what is in it or what happens to it.
var driveKeys = []string{"drive", "trait", "offset", "c2", "subchannel", "fulltoc", "write", "busy"}

func isReplay(name string) bool { return strings.HasPrefix(name, "sim:trace=") }

// A knownFact is one thing that is known of a drive.
type knownFact struct {
	Fact    string   `json:"fact"`
	Origin  string   `json:"origin"` // built-in, accuraterip, remembered, user
	Sources []string `json:"sources,omitempty"`
}

// knownLines are facts as lines: one for each that says so.
func knownLines(facts []knownFact) []string {
	said := make(map[string][]string)
	var order []string
	for _, f := range facts {
		from := originWords[f.Origin]
		if len(f.Sources) > 0 {
			from += ": " + strings.Join(f.Sources, ", ")
		}
		if said[from] == nil {
			order = append(order, from)
		}
		said[from] = append(said[from], f.Fact)
	}
	for i, from := range order {
		order[i] = printable.Line(fmt.Sprintf("%s (%s)", strings.Join(said[from], "; "), from))
	}
	return order
}

var originNames = map[known.Origin]string{
	known.BuiltIn: "built-in", known.AccurateRip: "accuraterip", known.Remembered: "remembered", known.User: "user",
}

var originWords = map[string]string{
	"built-in": "built-in table", "accuraterip": "your DriveOffsets.bin", "remembered": "tried on this machine", "user": "your drives.json",
}

// knownFacts puts what is known of a drive into words.
func knownFacts(f *known.Facts) []knownFact {
	var all []knownFact
	boolean := func(fact known.Fact[bool], yes, no string) {
		if fact.From == known.Unknown {
			return
		}
		text := no
		if fact.Value {
			text = yes
		}
		all = append(all, knownFact{text, originNames[fact.From], fact.Sources})
	}
	number := func(fact known.Fact[int], text func(int) string) {
		if fact.From != known.Unknown {
			all = append(all, knownFact{text(fact.Value), originNames[fact.From], fact.Sources})
		}
	}
	number(f.Transfer, func(n int) string { return fmt.Sprintf("brings at most %d KiB with one command", n>>10) })
	c2 := func(fact known.Fact[bool], form string) {
		yes := " is correct"
		if fact.From == known.Remembered { // a trial sees good sectors only
			yes = " comes, and marks nothing that is correct"
		}
		boolean(fact, form+yes, form+" is wrong, or fails")
	}
	c2(f.C2Bits, "C2 in 294 bytes")
	c2(f.C2Block, "C2 in 296 bytes")
	for _, fact := range []known.Fact[bool]{f.C2Bits, f.C2Block} {
		if fact.From == known.Remembered && fact.Value {
			boolean(fact, "whether C2 marks what is wrong, only a damaged disc shows", "")
			break
		}
	}
	boolean(f.C2WithSub, "C2 comes together with the sub-channel", "C2 does not come together with the sub-channel")
	boolean(f.SubFirst, "the sub-channel comes before C2", "C2 comes before the sub-channel")
	boolean(f.ForcedAccess, "FUA makes it read from the disc", "FUA does not make it read from the disc")
	number(f.Cache, func(n int) string { return fmt.Sprintf("its buffer lasts for up to %s", sizeText(int64(n))) })
	boolean(f.Stream, "reads of audio join without a gap", "reads of audio do not join (no accurate stream)")
	number(f.Offset, func(n int) string { return fmt.Sprintf("read offset %+d samples", n) })
	return all
}
