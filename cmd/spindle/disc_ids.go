package main

import (
	"fmt"

	"spindle/disc"
	"spindle/disc/discid"
)

// infoIDs are the names under which databases know an audio CD.
type infoIDs struct {
	AccurateRip    string `json:"accuraterip"`
	AccurateRipURL string `json:"accuraterip_url"`
	CDDB           string `json:"cddb"`
	MusicBrainz    string `json:"musicbrainz"`
	MusicBrainzURL string `json:"musicbrainz_url"`
	CTDB           string `json:"ctdb"`
	CTDBURL        string `json:"ctdb_url"`
}

// newInfoIDs returns nil for a disc that is no audio CD.
func newInfoIDs(l *disc.Layout) *infoIDs {
	ids, err := discid.Of(l)
	if err != nil {
		return nil
	}
	return &infoIDs{
		AccurateRip: ids.AccurateRip.String(), AccurateRipURL: ids.AccurateRip.URL(),
		CDDB:        fmt.Sprintf("%08x", ids.CDDB),
		MusicBrainz: ids.MusicBrainz, MusicBrainzURL: ids.SubmitURL,
		CTDB: ids.CTDB, CTDBURL: discid.TOCOf(l).CTDBURL(),
	}
}

// text shows the ids, and where MusicBrainz has the disc, or takes it.
func (x *infoIDs) text(p *page) {
	p.line("disc ids:   AccurateRip %s, CDDB %s", x.AccurateRip, x.CDDB)
	p.line("            MusicBrainz %s, CTDB %s", x.MusicBrainz, x.CTDB)
	p.line("            %s", x.MusicBrainzURL)
}
