from django.db import migrations, models


class Migration(migrations.Migration):
    """Two nullable columns without a default: no rewrite of the table on any supported database."""

    dependencies = [("agent", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="promptlog",
            name="request_id",
            field=models.UUIDField(help_text="Common to every provider call made for one request.", null=True),
        ),
        migrations.AddField(
            model_name="promptlog",
            name="cache_key",
            field=models.CharField(help_text="SHA-256 of all that decides a right answer.", max_length=64, null=True),
        ),
    ]
