def test_quick(siem, bati, tmp_path):
    r = siem.issue(); print(r)
    v = siem.run("check", source=r["text"]); print(v["overall"], v["level"], v["code"])
    p = siem.run("pdf", id=r["id"], out=str(tmp_path)); print(p)
    v = siem.run("check", source=p["path"]); print(v["overall"], v["level"], v["more"], v["page"], v["attached"])
    v = bati.run("check", source=p["path"]); print(v["overall"], v["code"])
    bati.trust(siem); 
    v = bati.run("check", source=p["path"]); print(v["overall"], v["code"], v["level"])
    bati.statuses("0306")
    v = bati.run("check", source=p["path"]); print(v["overall"], v["code"], v["level"], v["title"])
    siem.run("revoke", id=r["id"], reason="error")
    v = siem.run("check", source=p["path"]); print(v["overall"], v["level"])
    print(siem.run("register"))
