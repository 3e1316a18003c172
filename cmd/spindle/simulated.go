package main

import (
	"strings"

	"spindle/scsi/sim"
)

// simulatedDrive is a drive that drive= names.
type simulatedDrive struct {
	Event    string   `json:"event"` // simulated_drive
	Name     string   `json:"name"`
	Vendor   string   `json:"vendor"`
	Model    string   `json:"model"`
	Revision string   `json:"revision"`
	Like     []string `json:"like,omitempty"`
	Traits   []string `json:"traits,omitempty"`
	Options  []string `json:"options,omitempty"`
	Reported []string `json:"reported"`
	LeftOut  []string `json:"left_out,omitempty"`
	Sources  []string `json:"sources"`
}

func (e *simulatedDrive) Text(p *page) {
	p.line("  %-18s %s %s %s: %s", e.Name, e.Vendor, strings.Join(strings.Fields(e.Model), " "), e.Revision,
		strings.Join(append(append([]string{}, e.Traits...), e.Options...), ", "))
}

// simulatedTrait is a trait that trait= names.
type simulatedTrait struct {
	Event    string `json:"event"` // simulated_trait
	Name     string `json:"name"`
	Argument string `json:"argument,omitempty"`
	Usual    string `json:"usual,omitempty"`
	Does     string `json:"does"`
	Source   string `json:"source,omitempty"`
}

func (e *simulatedTrait) Text(p *page) {
	name := e.Name
	switch {
	case e.Usual != "":
		name += "[:" + e.Argument + "]"
	case e.Argument != "":
		name += ":" + e.Argument
	}
	does := e.Does
	if e.Usual != "" {
		does += " (" + e.Usual + ")"
	}
	p.line("  %-34s %s", name, does)
}

// runSimulated lists the drives that can be simulated, and their traits.
func runSimulated(a *app) (result, error) {
	heading := func(text string) {
		if !a.json {
			a.page(a.stdout).line("%s", text)
		}
	}
	all, err := sim.Personalities()
	if err != nil {
		return nil, err
	}
	heading("Drives that public reports describe (drive=NAME):")
	for _, d := range all {
		a.show(&simulatedDrive{
			Event: "simulated_drive", Name: d.Name, Vendor: d.Drive.Vendor, Model: d.Drive.Product, Revision: d.Drive.Revision,
			Like: d.Like, Traits: d.Traits, Options: d.Options, Reported: d.Reported, LeftOut: d.LeftOut, Sources: d.Sources,
		})
	}
	heading("\nWays of departing from the standard (trait=NAME[:ARGUMENT]; in brackets, the usual argument):")
	for _, t := range sim.Traits() {
		a.show(&simulatedTrait{Event: "simulated_trait", Name: t.Name, Argument: t.Argument, Usual: t.Usual, Does: traitWords[t.Name], Source: t.Source})
	}
	r := done()
	return &r, nil
}
