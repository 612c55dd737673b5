from django.db import migrations, models


class Migration(migrations.Migration):
    """Nullable columns without a default: no rewrite of the table on any supported database."""

    dependencies = [("agent", "0007_attribution_indexes")]

    operations = [
        migrations.AddField(
            model_name="promptlog",
            name="cost_usd",
            field=models.DecimalField(
                blank=True,
                decimal_places=10,
                help_text="US dollars, as computed when it was called.",
                max_digits=20,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="promptlog",
            name="cost_basis",
            field=models.CharField(
                blank=True,
                choices=[("provider", "Provider"), ("price_list", "Price list"), ("unpriced", "Unpriced")],
                help_text="Who says what it cost.",
                max_length=16,
                null=True,
            ),
        ),
    ]
