package sim

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Personality is a drive as public reports describe it: what it says it is, and
// how it departs from the standard. Of what no report states it has nothing.
type Personality struct {
	Name    string   `json:"-"` // of its file, without .json
	Version int      `json:"version"`
	Drive   Identity `json:"drive"`
	// Like names further drives that are said to behave so.
	Like    []string `json:"like,omitempty"`
	Sources []string `json:"sources"`
	Traits  []string `json:"traits,omitempty"` // see [ParseTrait]
	// Options are further keys of a specification, such as "offset=6".
	Options []string `json:"options,omitempty"`
	// Reported is what the reports say, in their order, and Left out what of it the
	// simulator does not do.
	Reported []string `json:"reported"`
	LeftOut  []string `json:"leftOut,omitempty"`
}

// personalityVersion is that of the files.
const personalityVersion = 1

//go:embed personality/*.json
var personalityFiles embed.FS

// Personalities lists the known drives, by name.
func Personalities() ([]Personality, error) {
	entries, err := personalityFiles.ReadDir("personality")
	if err != nil {
		return nil, err
	}
	var all []Personality
	for _, e := range entries {
		p, err := readPersonality(strings.TrimSuffix(e.Name(), ".json"))
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func findPersonality(name string) (Personality, error) {
	all, err := Personalities()
	if err != nil {
		return Personality{}, err
	}
	i := slices.IndexFunc(all, func(p Personality) bool { return p.Name == name })
	if i < 0 {
		return Personality{}, errors.New("there is no such drive")
	}
	return all[i], nil
}

func readPersonality(name string) (Personality, error) {
	p := Personality{Name: name}
	b, err := personalityFiles.ReadFile(path.Join("personality", name+".json"))
	if err != nil {
		return p, err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("drive %s: %w", name, err)
	}
	if p.Version != personalityVersion {
		return p, fmt.Errorf("drive %s: version %d of its description is not known", name, p.Version)
	}
	return p, nil
}

// apply makes a simulated drive this one.
func (p *Personality) apply(s *Spec) error {
	s.Config.Identity = p.Drive
	for _, t := range p.Traits {
		if err := s.addTraits(t); err != nil {
			return err
		}
	}
	for _, o := range p.Options {
		key, value, _ := strings.Cut(o, "=")
		if err := s.set(key, value); err != nil {
			return err
		}
	}
	return nil
}
