package burn

import (
	"strings"
	"testing"

	"spindle/scsi"
	"spindle/scsi/sim"
)

// Whatever a plan can meet has a meaning: each fault of the campaign, and what the
// simulated recorder answers by itself.
func TestMeaningsAreComplete(t *testing.T) {
	senses := []string{
		"5/21/02", "5/63/00", "5/2C/00", "5/30/05", "5/72/04", "5/26/00", "7/27/00", "5/1A/00", "5/72/03", "5/72/05", "3/31/00",
		"5/64/00", "5/24/00", "5/20/00", "5/30/06", "5/30/08", "5/21/00", "3/0C/09", "3/0C/00", "3/11/05", "3/02/00", "4/44/00",
		"2/3A/01", "2/3A/02", "2/04/01", "2/04/04", "2/04/07", "2/04/08", "6/28/00", "6/29/00", "5/53/02", "3/73/02", "3/73/03",
		"5/72/00", "5/72/01", "5/72/02", "3/72/01", "3/72/02", "2/30/00", "2/30/02", "2/30/05", "4/09/00", "4/3E/01", "6/2A/01",
	}
	for _, kind := range campaignFaults() {
		if strings.Count(kind, "/") == 2 && !strings.HasPrefix(kind, "1/") {
			senses = append(senses, strings.TrimSuffix(kind, ":deferred"))
		}
	}
	for _, s := range senses {
		f, err := sim.ParseFault("2A:1:" + s)
		if err != nil {
			t.Fatal(err)
		}
		m, ok := Explain(&Error{Step: Step{Op: OpWrite}, Err: &scsi.CheckCondition{Opcode: 0x2A, Sense: f.Sense}})
		if !ok || m.What == "" || m.Next == "" || !strings.HasSuffix(m.Next, ".") {
			t.Errorf("%s: %+v", s, m)
		}
	}
}
