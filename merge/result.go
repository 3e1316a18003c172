package merge

import "spindle/disc"

// An Account is what became of an input.
type Account struct {
	Name  string
	Shift int // by how many samples its audio came later than that of the new image
	Given int // right sectors that were taken from it
	// Disproved are sectors that it has without a flaw, and that others prove wrong.
	Disproved disc.Flaws
	// Lost are sectors that its files did not give, for this reason.
	Lost   disc.Flaws
	Reason error
}

// Accounts returns what became of the inputs, of the sectors that were read so far.
func (m *Image) Accounts() []Account {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Account
	for i, s := range m.sources {
		s.mu.Lock()
		all = append(all, Account{Name: s.name, Shift: s.shift, Disproved: disc.FlawsOf(m.wrong[i]...), Lost: s.lost, Reason: s.reason})
		s.mu.Unlock()
	}
	for _, r := range m.ledger {
		if r.input >= 0 && r.proof.Good() {
			all[r.input].Given += r.count
		}
	}
	return all
}

// A Contradiction is a run of sectors of which two inputs have different bytes, and neither
// has a flaw.
type Contradiction struct {
	First disc.LBA
	Count int
	A, B  string // the inputs; the bytes are those of A
}

// Contradictions returns those of the sectors that were read so far.
func (m *Image) Contradictions() []Contradiction {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Contradiction
	for _, r := range m.ledger {
		if r.proof == Contradicted {
			all = append(all, Contradiction{r.first, r.count, m.sources[r.input].name, m.sources[r.against].name})
		}
	}
	return all
}
