package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spindle/disc"
	"spindle/scsi"
)

// A Trait is one way in which a drive departs from the standard, such as
// "c2-late" or "transfer-limit:65536": a name of [Traits], and what it is about.
type Trait struct {
	kind traitKind
	arg  traitArg
	text string
}

func (t Trait) String() string { return t.text }

// traitArg is what stands behind the colon.
type traitArg struct {
	n           int
	first, last disc.LBA
}

// A traitKind is a trait that there is.
type traitKind struct {
	name string
	arg  argument
	make func(traitArg) hooks
}

// An argument says what stands behind the colon of a trait.
type argument struct {
	name      string // as in a usage line; empty: nothing stands there
	low, high int
	usual     int  // where it is left out
	sectors   bool // it is LBA or LBA-LBA, and must be there
}

// A TraitUsage is a trait as one can ask for it.
type TraitUsage struct {
	Name     string
	Argument string // what stands behind a colon: SECONDS; empty: nothing does
	Usual    string // the argument where it is left out; empty: it must be there
	Source   string // who reported it; empty: nobody
}

// Traits lists the traits that there are, by name.
func Traits() []TraitUsage {
	var all []TraitUsage
	for _, k := range traitKinds() {
		u := TraitUsage{Name: k.name, Argument: k.arg.name, Source: traitSources[k.name]}
		if k.arg.name != "" && !k.arg.sectors {
			u.Usual = strconv.Itoa(k.arg.usual)
		}
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b TraitUsage) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// ParseTrait reads NAME or NAME:ARGUMENT.
func ParseTrait(s string) (Trait, error) {
	name, value, given := strings.Cut(s, ":")
	kinds := traitKinds()
	i := slices.IndexFunc(kinds, func(k traitKind) bool { return k.name == name })
	if i < 0 {
		return Trait{}, fmt.Errorf("there is no trait %q", name)
	}
	k := kinds[i]
	a, err := k.arg.parse(value, given)
	if err != nil {
		return Trait{}, fmt.Errorf("trait %s: %w", name, err)
	}
	return Trait{kind: k, arg: a, text: s}, nil
}

func (g argument) parse(value string, given bool) (traitArg, error) {
	switch {
	case g.name == "" && given:
		return traitArg{}, fmt.Errorf("takes no argument")
	case g.name == "":
		return traitArg{}, nil
	case g.sectors:
		first, last, ok := parseRange(value)
		if !ok {
			return traitArg{}, fmt.Errorf("wants :%s", g.name)
		}
		return traitArg{first: first, last: last}, nil
	case !given:
		return traitArg{n: g.usual}, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < g.low || n > g.high {
		return traitArg{}, fmt.Errorf("%s is not a number from %d to %d", g.name, g.low, g.high)
	}
	return traitArg{n: n}, nil
}

// always makes hooks that have no state of their own.
func always(h hooks) func(traitArg) hooks { return func(traitArg) hooks { return h } }

// refuseWhere makes the hooks of a trait that answers a command with an error where when is true.
func refuseWhere(op scsi.Opcode, err error, when func(*Drive, *exchange) bool) func(traitArg) hooks {
	return always(hooks{before: func(d *Drive, x *exchange) bool {
		return x.op == op && when(d, x) && x.answer(err)
	}})
}

// traitKinds are the traits that there are, each with what makes its hooks.
func traitKinds() []traitKind {
	return slices.Concat(c2Traits(), subchannelTraits(), readTraits(), transportTraits(), readyTraits(), configurationTraits(), writeTraits(), recordedTraits())
}
